import { describe, expect, it } from "vitest";
import { markPreempted, mayWrite, releaseLease, takeLease } from "../../../src/ledger/transitions/index.js";
import { moment, record } from "../records.js";

const mark = { tab: "tab 1", since: 3_000, timeout: 10_000 };
const marked = record({ fence: 3, refreshing: mark });

describe("takeLease", () => {
  it("R1 names the tab, the moment and the deadline, and fences off each holder before", () => {
    const { now } = moment();
    expect(takeLease(record(), 10_000, moment())).toEqual(record({ fence: 3, refreshing: { tab: "tab 2", since: now, timeout: 10_000 } }));
  });

  it("R23 over a lease that ran out remembers that an answer was lost", () => {
    const taken = takeLease({ ...marked, refreshing: { ...mark, robbed: true } }, 5_000, moment());
    expect(taken).toMatchObject({ fence: 4, lost: true, refreshing: { tab: "tab 2", timeout: 5_000 } });
    expect(taken.refreshing?.robbed).toBeUndefined();
    expect(takeLease(record({ lost: true }), 5_000, moment()).lost).toBe(true);
  });
});

describe("markPreempted", () => {
  it("R6 says of the lease that its holder has lost the lock, and may be at work all the same", () => {
    expect(markPreempted(marked)).toEqual({ ...marked, refreshing: { ...mark, robbed: true } });
    expect(markPreempted(record())).toBeUndefined();
  });
});

describe("releaseLease", () => {
  it("gives the lease back, and leaves that of another tab", () => {
    expect(releaseLease(marked)(marked, moment())).toEqual({ next: { ...marked, refreshing: undefined }, outcome: undefined });
    const other = { ...marked, fence: 4, refreshing: { ...mark, tab: "tab 2" } };
    expect(releaseLease(marked)(other, moment()).next).toBeUndefined();
    expect(releaseLease(marked)({ ...marked, epoch: 8 }, moment()).next).toBeUndefined();
    expect(releaseLease(marked)(undefined, moment()).next).toBeUndefined();
  });
});

describe("an answer may be stored", () => {
  it("while its own mark stands", () => {
    expect(mayWrite(marked, marked)).toBe(true);
    expect(mayWrite({ ...marked, refreshing: { ...mark, robbed: true } }, marked)).toBe(true);
  });

  it("R3 when whoever passed its tab over got nothing for it, and not while that one is at it (simulation, seed 13610)", () => {
    expect(mayWrite({ ...marked, fence: 4, refreshing: undefined }, marked)).toBe(true);
    expect(mayWrite({ ...marked, fence: 4, refreshing: { ...mark, tab: "tab 2", since: 14_000 } }, marked)).toBe(false);
  });

  it("R26 when storage has failed, and what its tab has told another comes back counted higher (simulation, seeds 493276, 920798)", () => {
    expect(mayWrite({ ...marked, version: 4, fence: 7 }, marked)).toBe(true);
  });

  it("R25 never after a commit, or in another session", () => {
    expect(mayWrite({ ...marked, version: 4, refreshing: undefined }, marked)).toBe(false);
    expect(mayWrite({ ...marked, epoch: 8 }, marked)).toBe(false);
    expect(mayWrite(undefined, marked)).toBe(false);
  });
});
