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

  it("R10 never makes the reader throw, whatever it is", () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        parseMessage(value);
      }),
      { seed: 3, numRuns: 1_000 },
    );
  });
});
