import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isNewerRelease, parseRecord, stamped } from "../../src/ledger/format.js";
import { signedOut } from "../../src/ledger/transitions/index.js";
import { fields, moment, record } from "./records.js";

describe("what comes from storage or a channel", () => {
  it("is taken for a record when it is one, signed in or ended", () => {
    expect(parseRecord(record())).toEqual(record());
    const over = signedOut(record(), moment({ now: 5 }), "user");
    expect(parseRecord(over)).toEqual(over);
    expect(parseRecord(record({ tokens: undefined, refreshing: { tab: "a", since: 1, timeout: 2 } }))).toBeDefined();
    const failure = { code: "server", attempt: 1, at: 1, retryAt: 2 } as const;
    expect(parseRecord(record({ failure, quietUntil: 3 }))).toBeDefined();
    expect(parseRecord(record({ failure: { ...failure, odd: 3 } }))).toBeDefined();
    for (const odd of ["3", Number.NaN, null]) expect(parseRecord({ ...record(), failure: { ...failure, odd } })).toBeUndefined();
    for (const quietUntil of ["3", Number.NaN]) expect(parseRecord({ ...record(), quietUntil })).toBeUndefined();
  });

  it.each([undefined, null, 7, "record", [], {}, { epoch: 1, version: 1 }])("R10 R26 is refused when it is %j", (value) => {
    expect(parseRecord(value)).toBeUndefined();
  });

  it.each(fields.filter((field) => field !== "reason" && field !== "by"))(
    "R10 R26 is refused when its %s is of the wrong kind",
    (field) => {
      for (const wrong of [Symbol.iterator.toString, "x", Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(parseRecord({ ...record(), [field]: wrong })).toBeUndefined();
      }
    },
  );

  it.each([{ accessToken: 7 }, { accessToken: "" }, { accessToken: "two words" }, { accessToken: "line\nbreak" }])(
    "is refused with the tokens %j",
    (tokens) => {
      expect(parseRecord({ ...record(), tokens })).toBeUndefined();
    },
  );

  it("is taken without an access token: it may live in a cookie", () => {
    expect(parseRecord({ ...record(), tokens: { refreshToken: "r" } })).toMatchObject({ tokens: { refreshToken: "r" } });
  });

  it("R86 is a newer release's to a session without `dpop`, if its tokens are bound to a key", () => {
    const bound = stamped(record({ bound: true }));
    expect([bound.format, bound.servedFrom]).toEqual([1.5, 1.5]);
    expect(parseRecord(bound, { bound: true })).toEqual(bound);
    const other = parseRecord(bound);
    expect([isNewerRelease(bound), isNewerRelease(other), other?.tokens, other?.renewedBy]).toEqual([false, true, undefined, undefined]);
    const later = parseRecord({ ...bound, format: 2.5 }, { bound: true });
    expect([isNewerRelease(later), later?.tokens, later?.signedIn]).toEqual([true, undefined, true]);
  });

  it("R10 never throws, whatever it is", () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        parseRecord(value);
      }),
      { seed: 3, numRuns: 1_000 },
    );
  });
});
