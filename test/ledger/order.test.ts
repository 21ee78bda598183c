import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  broughtBack,
  isAhead,
  isCalledOff,
  isNewer,
  isRenewed,
  latestInstant,
  mergeHeard,
  nextEpoch,
  sameCommit,
} from "../../src/ledger/order.js";
import { signedOut } from "../../src/ledger/transitions/index.js";
import type { SignedOutReason } from "../../src/types/index.js";
import { moment, record } from "./records.js";
import * as drawn from "./transitions/arbitraries.js";

describe("a tab that was cut off from the ledger", () => {
  const own = record({ by: "tab 1", version: 3 });
  const { tokens: _, ...withoutTokens } = own;
  const ended = (reason: SignedOutReason) => signedOut(own, moment({ now: 9_000 }), reason);

  it("R26 brings its means to renew back where what is there is what it told the others itself, whatever that was counted as", () => {
    expect(isAhead(own, { ...withoutTokens, version: 9 }, "tab 1")).toBe(true);
    expect(isAhead(own, { ...withoutTokens, version: 9, tokens: { accessToken: "told" } }, "tab 1")).toBe(true);
  });

  it("R2 R26 does not where another tab has renewed since, whose tokens did not fit into the storage: its own have been used", () => {
    expect(isAhead(own, { ...withoutTokens, by: "tab 2", version: 4, committedAt: 3_000 }, "tab 1")).toBe(false);
    const adopted = record({ by: "tab 3", version: 3 });
    expect(isAhead(adopted, { ...withoutTokens, by: "tab 3", version: 4, committedAt: 3_000 }, "tab 1")).toBe(false);
  });

  it("R26 does where it has the tokens of the very commit that is there without them", () => {
    expect(isAhead(record({ by: "tab 2" }), { ...withoutTokens, by: "tab 2" }, "tab 1")).toBe(true);
  });

  it("R26 does not put what it was told, without the means to renew, over the same with them, whatever it counts that as (simulation, seed 617896)", () => {
    const told = record({ by: "tab 2", version: 9, tokens: { accessToken: "access" } });
    expect(isAhead(told, record({ by: "tab 2", version: 8 }), "tab 1")).toBe(false);
    expect(isAhead({ ...told, committedAt: 3_000 }, record({ by: "tab 2", version: 8 }), "tab 1")).toBe(true);
  });

  it("R26 R64 brings back what failed since the commit that is there, and another tab's mark stays", () => {
    const failure = { code: "server", attempt: 1, at: 2_000, retryAt: 9_000 } as const;
    expect(isAhead(record({ failure }), record(), "tab 1")).toBe(true);
    expect(isAhead(record({ quietUntil: 9_000 }), record({ failure }), "tab 1")).toBe(true);
    expect(isAhead(record({ failure }), record({ failure: { ...failure, at: 3_000 } }), "tab 1")).toBe(false);
    expect(isAhead(record({ failure }), record({ failure }), "tab 1")).toBe(false);
    const mark = (tab: string) => ({ tab, since: 2_500, timeout: 10_000 });
    expect(broughtBack(record({ failure }), record({ fence: 9, refreshing: mark("tab 2") }), "tab 1")).toMatchObject({
      ...{ failure, fence: 9, refreshing: mark("tab 2") },
    });
    expect(broughtBack(record({ failure }), record({ refreshing: mark("tab 1") }), "tab 1").refreshing).toBeUndefined();
    expect(
      broughtBack(record({ version: 9, committedAt: 3_000 }), record({ refreshing: mark("tab 2") }), "tab 1").refreshing,
    ).toBeUndefined();
  });

  it("R25 does not end a later session than its own, unless the user signed out (simulation, seed 920798)", () => {
    const later = record({ by: "tab 2", epoch: 8, signedInAt: 5_000 });
    expect(isAhead(ended("rejected"), later, "tab 1")).toBe(false);
    expect(isAhead(ended("user"), later, "tab 1")).toBe(true);
    expect(isAhead(ended("rejected"), own, "tab 1")).toBe(true);
    // Which its own had followed: the former user does not come back.
    const earlier = record({ by: "tab 2", epoch: 6, signedInAt: 500 });
    expect(isAhead(ended("rejected"), earlier, "tab 1")).toBe(true);
  });

  it("R19 does not bring back a refresh token that was refused", () => {
    expect(isAhead(own, { ...withoutTokens, final: true, renewedBy: undefined }, "tab 1")).toBe(false);
  });

  it("R26 keeps what it knows when its own commit comes back, counted higher and without the refresh token", () => {
    const echo = record({ by: "tab 1", version: 9, tokens: { accessToken: "access" } });
    expect(mergeHeard(echo, own, "tab 1")).toEqual({ ...own, version: 9 });
  });

  it("R26 keeps the refresh token that it has read when that commit comes back from a tab without storage (simulation, seed 830589)", () => {
    const echo = record({ by: "tab 1", version: 9, tokens: { accessToken: "access" } });
    expect(mergeHeard(echo, own, "tab 2")).toEqual({ ...own, version: 9 });
    const begun = { ...echo, version: 3, fence: 3, refreshing: { tab: "tab 3", since: 1, timeout: 2 } };
    expect(mergeHeard(begun, own, "tab 2")).toEqual({ ...begun, tokens: own.tokens });
    const later = { ...echo, committedAt: 3_000 };
    expect(mergeHeard(later, own, "tab 2")).toEqual(later);
  });
});

describe("the mark of who refreshes", () => {
  it("R2 stands when an earlier mark of this very tab comes back from another tab: the answer would be thrown away", () => {
    const marked = { ...record({ by: "tab 1" }), fence: 4, refreshing: { tab: "tab 1", since: 9_000, timeout: 10_000 } };
    const echo = record({ by: "tab 1", version: 9, fence: 3, refreshing: { tab: "tab 1", since: 8_000, timeout: 10_000 } });
    expect(mergeHeard(echo, marked, "tab 1")).toEqual({ ...marked, version: 9 });
  });

  it("R2 stands when the commit that it was set on comes back from a tab without storage, counted higher: its answer would be thrown away", () => {
    const marked = record({ refreshing: { tab: "tab 2", since: 1, timeout: 2 } });
    const { tokens: _, ...told } = record({ version: 9, fence: 4 });
    expect(mergeHeard(told, marked, "tab 3")).toEqual({ ...marked, version: 9, fence: 4 });
    // Of one count, that it has been cleared is news.
    expect(mergeHeard({ ...told, version: 3 }, marked, "tab 3")).toEqual({ ...marked, fence: 4, refreshing: undefined });
  });
});

describe("the mark of who refreshes, where there is no storage", () => {
  it("R9 is believed by the tab whose commit it was set on, too: it would send the same cookie at the same time", () => {
    const { tokens, ...told } = record({ by: "tab 1", fence: 3, refreshing: { tab: "tab 2", since: 1, timeout: 2 } });
    expect(mergeHeard(told, record({ by: "tab 1" }), "tab 1")).toEqual({ ...told, tokens });
    expect(mergeHeard({ ...told, version: 9 }, record({ by: "tab 1" }), "tab 1")).toEqual({ ...told, tokens, version: 9 });
  });
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
    expect(mergeHeard(one, undefined, "tab 1")).toBe(one);
  });

  it("R25 has no end of an earlier session above a later session, unless the user ended it (simulation, seed 546)", () => {
    const later = record({ by: "tab 2", signedInAt: 5_000 });
    for (const reason of ["rejected", "idle"] as const)
      expect(isNewer(signedOut(record({ signedInAt: 500 }), moment({ now: 9_000 }), reason), later)).toBe(false);
    expect(isNewer(signedOut(record({ signedInAt: 500 }), moment({ now: 9_000 }), "user"), later)).toBe(true);
    expect(isNewer(signedOut(later, moment({ now: 9_000 }), "rejected"), later)).toBe(true);
  });

  it("R2 is by the times of two commits of one tab, since another tab may have renumbered the earlier one (simulation, seed 2671)", () => {
    const earlier = record({ version: 9, committedAt: 1_000 });
    const later = record({ version: 4, committedAt: 2_000 });
    expect([isNewer(earlier, later), isNewer(later, earlier)]).toEqual([false, true]);
    expect(isNewer(record({ version: 9, committedAt: 1_000, by: "tab 3" }), later)).toBe(true);
  });

  it("is the same for all tabs when two marks were set at once, and a cleared mark comes last", () => {
    const [a, b] = ["a", "b"].map((tab) => record({ refreshing: { tab, since: 1, timeout: 2 } }));
    if (!a || !b) throw new Error("unreachable");
    expect([isNewer(a, b), isNewer(b, a)].filter(Boolean)).toHaveLength(1);
    expect([isNewer(record(), a), isNewer(a, record())]).toEqual([true, false]);
  });

  it("R25 has a later epoch for each session, also when the clock was turned back or storage was cleared", () => {
    expect(nextEpoch(record(), 1, 0.5)).toBeGreaterThan(7);
    expect(nextEpoch(undefined, 1_000, 0.1)).toBeGreaterThanOrEqual(1_000);
  });

  it("R3 never has each of two records for the newer one", () => {
    const pairs = drawn.record.chain((one) => fc.tuple(fc.constant(one), drawn.after(one)));
    fc.assert(
      fc.property(pairs, ([one, other]) => {
        expect(isNewer(one, other) && isNewer(other, one)).toBe(false);
      }),
      { seed: 4, numRuns: 1_000 },
    );
  });

  it("R3 hears the same news once, and lets neither epoch nor version nor fence fall for it", () => {
    const pairs = drawn.record.chain((one) => fc.tuple(fc.constant(one), drawn.after(one)));
    fc.assert(
      fc.property(pairs, ([heard, known]) => {
        // A count that ran ahead hides at first that the holder has given its lease back.
        fc.pre(!sameCommit(heard, known) || heard.version <= known.version || !!heard.refreshing || !known.refreshing);
        const next = mergeHeard(heard, known, "tab 1") ?? known;
        expect(mergeHeard(heard, next, "tab 1") ?? next).toEqual(next);
        for (const number of ["epoch", "version", "fence"] as const) expect(next[number]).toBeGreaterThanOrEqual(known[number]);
      }),
      { seed: 5, numRuns: 1_000 },
    );
  });
});

describe("two records", () => {
  it("R2 are of one commit when one tab made it at one moment of one session, however it is counted", () => {
    expect(sameCommit(record(), record({ version: 9, fence: 8, tokens: undefined }))).toBe(true);
    for (const changes of [{ epoch: 8 }, { by: "tab 2" }, { committedAt: 3_000 }])
      expect(sameCommit(record(), record(changes))).toBe(false);
    expect([sameCommit(record(), undefined), sameCommit(undefined, undefined)]).toEqual([false, true]);
  });

  it("R1 differ by a renewal only if another commit renewed the access token: a higher number alone is none", () => {
    expect(isRenewed(record({ version: 4, committedAt: 3_000 }), record())).toBe(true);
    expect(isRenewed(record({ version: 4 }), record())).toBe(false);
    expect(isRenewed(record(), record({ version: 4, committedAt: 3_000 }))).toBe(false);
    const rescued = record({ version: 4, committedAt: 3_000, renewed: { version: 3, at: 2_000 } });
    expect(isRenewed(rescued, record())).toBe(false);
  });

  it("R25 call a sign-in off where the user signed out in between, and for no other end", () => {
    const over = (changes: Parameters<typeof record>[0] = {}) => record({ epoch: 8, signedIn: false, reason: "user", ...changes });
    expect(isCalledOff(over(), record())).toBe(true);
    expect(isCalledOff(over({ reason: undefined }), record()), "without a session").toBe(true);
    expect(isCalledOff(over({ reason: "expired" }), record())).toBe(false);
    expect(isCalledOff(over({ epoch: 7 }), record()), "before").toBe(false);
    expect(isCalledOff(record({ epoch: 8 }), record())).toBe(false);
  });

  it("R16 the shared clock has reached the latest moment at which a record was written", () => {
    expect(latestInstant(record())).toBe(2_000);
    expect(latestInstant(record({ lastActivityAt: 3_000 }))).toBe(3_000);
    expect(latestInstant(record({ refreshing: { tab: "a", since: 4_000, timeout: 1 } }))).toBe(4_000);
    expect(latestInstant(record({ failure: { code: "server", attempt: 1, at: 5_000, retryAt: 9_000 } }))).toBe(5_000);
    expect(latestInstant(record({ quietUntil: 9_000, dueAt: 9_000, endsAt: 9_000 })), "moments to come").toBe(2_000);
  });

  it("R25 draw different epochs at the same moment, each later than the session before", () => {
    const [one, other] = [0.1, 0.9].map((chance) => nextEpoch(record(), 5_000, chance));
    expect(one).not.toBe(other);
    for (const epoch of [one!, other!]) expect([epoch > 7, Math.floor(epoch)]).toEqual([true, 5_000]);
  });
});
