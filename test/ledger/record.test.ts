import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { forSiblings, parseMessage } from "../../src/ledger/messages.js";
import { ended, isFurther, isNewer, nextEpoch, parseRecord, takeIn } from "../../src/ledger/record.js";
import { fields, record } from "./records.js";

describe("a tab that was cut off from the ledger", () => {
  const own = record({ by: "tab 1", version: 3 });
  const { tokens: _, ...withoutTokens } = own;

  it("R26 brings its means to renew back where what is there is what it told the others itself, whatever that was counted as", () => {
    expect(isFurther(own, { ...withoutTokens, version: 9 }, "tab 1")).toBe(true);
    expect(isFurther(own, { ...withoutTokens, version: 9, tokens: { accessToken: "told" } }, "tab 1")).toBe(true);
  });

  it("R2 R26 does not where another tab has renewed since, whose tokens did not fit into the storage: its own have been used", () => {
    expect(isFurther(own, { ...withoutTokens, by: "tab 2", version: 4, committedAt: 3_000 }, "tab 1")).toBe(false);
    const adopted = record({ by: "tab 3", version: 3 });
    expect(isFurther(adopted, { ...withoutTokens, by: "tab 3", version: 4, committedAt: 3_000 }, "tab 1")).toBe(false);
  });

  it("R26 does where it has the tokens of the very commit that is there without them", () => {
    expect(isFurther(record({ by: "tab 2" }), { ...withoutTokens, by: "tab 2" }, "tab 1")).toBe(true);
  });

  it("R26 does not put what it was told, without the means to renew, over the same with them, whatever it counts that as (simulation, seed 617896)", () => {
    const told = record({ by: "tab 2", version: 9, tokens: { accessToken: "access" } });
    expect(isFurther(told, record({ by: "tab 2", version: 8 }), "tab 1")).toBe(false);
    expect(isFurther({ ...told, committedAt: 3_000 }, record({ by: "tab 2", version: 8 }), "tab 1")).toBe(true);
  });

  it("R25 does not end a later session than its own, unless the user signed out (simulation, seed 920798)", () => {
    const later = record({ by: "tab 2", epoch: 8, signedInAt: 5_000 });
    expect(isFurther(ended(own, "tab 1", 9_000, 0.5, "rejected"), later, "tab 1")).toBe(false);
    expect(isFurther(ended(own, "tab 1", 9_000, 0.5, "user"), later, "tab 1")).toBe(true);
    expect(isFurther(ended(own, "tab 1", 9_000, 0.5, "rejected"), own, "tab 1")).toBe(true);
    // Which its own had followed: the former user does not come back.
    const earlier = record({ by: "tab 2", epoch: 6, signedInAt: 500 });
    expect(isFurther(ended(own, "tab 1", 9_000, 0.5, "rejected"), earlier, "tab 1")).toBe(true);
  });

  it("R19 does not bring back a refresh token that was refused", () => {
    expect(isFurther(own, { ...withoutTokens, final: true, renewedBy: undefined }, "tab 1")).toBe(false);
  });

  it("R26 keeps what it knows when its own commit comes back, counted higher and without the refresh token", () => {
    const echo = record({ by: "tab 1", version: 9, tokens: { accessToken: "access" } });
    expect(takeIn(echo, own, "tab 1")).toEqual({ ...own, version: 9 });
  });

  it("R26 keeps the refresh token that it has read when that commit comes back from a tab without storage (simulation, seed 830589)", () => {
    const echo = record({ by: "tab 1", version: 9, tokens: { accessToken: "access" } });
    expect(takeIn(echo, own, "tab 2")).toEqual({ ...own, version: 9 });
    const begun = { ...echo, version: 3, fence: 3, refreshing: { tab: "tab 3", since: 1, timeout: 2 } };
    expect(takeIn(begun, own, "tab 2")).toEqual({ ...begun, tokens: own.tokens });
    const later = { ...echo, committedAt: 3_000 };
    expect(takeIn(later, own, "tab 2")).toEqual(later);
  });
});

describe("the mark of who refreshes", () => {
  it("R2 stands when the commit that it was set on comes back from a tab without storage, counted higher: its answer would be thrown away", () => {
    const marked = record({ refreshing: { tab: "tab 2", since: 1, timeout: 2 } });
    const { tokens: _, ...told } = record({ version: 9, fence: 4 });
    expect(takeIn(told, marked, "tab 3")).toEqual({ ...marked, version: 9, fence: 4 });
    // Of one count, that it has been cleared is news.
    expect(takeIn({ ...told, version: 3 }, marked, "tab 3")).toEqual({ ...marked, fence: 4, refreshing: undefined });
  });
});

describe("the mark of who refreshes, where there is no storage", () => {
  it("R9 is believed by the tab whose commit it was set on, too: it would send the same cookie at the same time", () => {
    const { tokens, ...told } = record({ by: "tab 1", fence: 3, refreshing: { tab: "tab 2", since: 1, timeout: 2 } });
    expect(takeIn(told, record({ by: "tab 1" }), "tab 1")).toEqual({ ...told, tokens });
    expect(takeIn({ ...told, version: 9 }, record({ by: "tab 1" }), "tab 1")).toEqual({ ...told, tokens, version: 9 });
  });
});

describe("what comes from storage or a channel", () => {
  it("is taken for a record when it is one, signed in or ended", () => {
    expect(parseRecord(record())).toEqual(record());
    const over = ended(record(), "tab 2", 5, 0.5, "user");
    expect(parseRecord(over)).toEqual(over);
    expect(parseRecord(record({ tokens: undefined, refreshing: { tab: "a", since: 1, timeout: 2 } }))).toBeDefined();
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

  it("R10 never throws, whatever it is", () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        parseRecord(value);
        parseMessage(value);
      }),
      { seed: 3, numRuns: 1_000 },
    );
  });
});

describe("what tabs tell each other", () => {
  it("R10 never holds the refresh token, and the access token only where it is to be shared", () => {
    expect(forSiblings(record(), false).tokens).toBeUndefined();
    expect(forSiblings(record(), true).tokens).toEqual({ accessToken: "access", idToken: undefined, scope: undefined });
  });

  it("R10 is refused when it brings a refresh token", () => {
    const message = { type: "changed", at: 1, record: record() };
    expect(parseMessage(message)).toBeUndefined();
    expect(parseMessage({ ...message, record: forSiblings(record(), true) })).toBeDefined();
  });

  it.each([null, 7, {}, { type: "other" }, { type: "ask" }, { type: "ask", at: 1, version: "1" }, { type: "changed", at: 1 }])(
    "R10 is refused as %j",
    (data) => {
      expect(parseMessage(data)).toBeUndefined();
    },
  );
});

describe("the order of records", () => {
  it("is by epoch, then version, then fence", () => {
    const one = record();
    for (const [name, later] of [
      ["epoch", 8],
      ["version", 4],
      ["fence", 3],
    ] as const) {
      expect(isNewer(record({ [name]: later }), one)).toBe(true);
      expect(isNewer(one, record({ [name]: later }))).toBe(false);
    }
    expect(isNewer(record({ epoch: 8, version: 1 }), one)).toBe(true);
    expect(isNewer(one, one)).toBe(false);
    expect(isNewer(one, undefined)).toBe(true);
  });

  it("is the same for all tabs when two marks were set at once, and a cleared mark comes last", () => {
    const [a, b] = ["a", "b"].map((tab) => record({ refreshing: { tab, since: 1, timeout: 2 } }));
    if (!a || !b) throw new Error("unreachable");
    expect([isNewer(a, b), isNewer(b, a)].filter(Boolean)).toHaveLength(1);
    expect([isNewer(record(), a), isNewer(a, record())]).toEqual([true, false]);
  });

  it("R25 a record that has ended holds no token, and its epoch is later, also when the clock was turned back", () => {
    const over = ended(record(), "tab 2", 1, 0.5, "user");
    expect(over).toMatchObject({ signedIn: false, reason: "user", version: 4, expiresAt: null, dueAt: null });
    expect(over.tokens).toBeUndefined();
    expect(over.epoch).toBeGreaterThan(7);
    expect(nextEpoch(undefined, 1_000, 0.1)).toBeGreaterThanOrEqual(1_000);
  });
});
