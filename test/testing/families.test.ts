import { describe, expect, it } from "vitest";
import { type Family, familyOf, judgeRefreshToken } from "../../src/testing/families.js";

const family = (more: Partial<Family> = {}): Family => ({
  current: "third",
  used: { first: { at: 0 }, second: { at: 10_000 } },
  ended: false,
  ...more,
});
const within = (grace: number) => ({ now: 15_000, grace });

describe("what a strict server makes of a refresh token", () => {
  it.each<[string, string, number, Partial<Family>, string]>([
    ["the current one renews", "third", 0, {}, "renews"],
    ["a used one is a reuse", "second", 0, {}, "reused"],
    ["a used one is repeated within the grace period", "second", 6000, {}, "repeated"],
    ["a used one is a reuse at the end of the grace period", "second", 5000, {}, "reused"],
    ["the grace period is counted for each token from its own use", "first", 6000, {}, "reused"],
    ["the current one does not renew a session that has ended", "third", 0, { ended: true }, "ended"],
    ["the grace period does not renew a session that has ended", "second", 6000, { ended: true }, "ended"],
    ["a reuse is seen after the end of the session as well", "second", 0, { ended: true }, "reused"],
  ])("%s", (_, token, grace, more, verdict) => expect(judgeRefreshToken(family(more), token, within(grace))).toBe(verdict));

  it("finds the sign-in of a token, used or not, and none for a word that every object knows", () => {
    const other = family({ current: "theirs", used: {} });
    const families = [family(), other];
    expect(["third", "first", "theirs"].map((token) => families.indexOf(familyOf(families, token) as Family))).toEqual([0, 0, 1]);
    expect(["constructor", "__proto__", ""].map((token) => familyOf(families, token))).toEqual([undefined, undefined, undefined]);
  });
});
