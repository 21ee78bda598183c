import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { forOtherTabs, parseMessage } from "../../src/tabs/messages.js";
import { record } from "../ledger/records.js";

describe("what tabs tell each other", () => {
  it("R10 never holds the refresh token, and the access token only where it is to be shared", () => {
    expect(forOtherTabs(record(), false).tokens).toBeUndefined();
    expect(forOtherTabs(record(), true).tokens).toEqual({ accessToken: "access", idToken: undefined, scope: undefined });
  });

  it("R10 is refused when it brings a refresh token", () => {
    const message = { type: "changed", record: record() };
    expect(parseMessage(message)).toBeUndefined();
    expect(parseMessage({ ...message, record: forOtherTabs(record(), true) })).toBeDefined();
  });

  it.each([null, 7, {}, { type: "other" }, { type: "ask" }, { type: "ask", version: "1" }, { type: "changed" }])(
    "R10 is refused as %j",
    (data) => {
      expect(parseMessage(data)).toBeUndefined();
    },
  );

  it("R86 R93 of a newer release's record, brings only what this release has checked", () => {
    const theirs = { ...forOtherTabs(record(), true), format: 9 };
    const forged = { ...theirs, epoch: Number.NaN, signedIn: null, version: 4 };
    expect(parseMessage({ type: "changed", record: forged })).toMatchObject({
      record: { epoch: 0, signedIn: true, version: 4, final: true },
    });
    expect(parseMessage({ type: "changed", record: theirs })).toMatchObject({ record: { epoch: 7, tokens: { accessToken: "access" } } });
  });

  it("R10 never makes the reader throw, whatever it is", () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        parseMessage(value);
      }),
      { seed: 3, numRuns: 1_000 },
    );
  });
});
