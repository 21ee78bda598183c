import { describe, expect, it } from "vitest";
import { mayWrite } from "../../src/refresh/transaction.js";
import { record } from "../ledger/records.js";

const mark = { tab: "tab 1", since: 3_000, timeout: 10_000 };
const marked = record({ fence: 3, refreshing: mark });

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
