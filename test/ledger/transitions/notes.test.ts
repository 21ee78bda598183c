import { describe, expect, it } from "vitest";
import { isPaced } from "../../../src/ledger/facts.js";
import type { LedgerRecord } from "../../../src/ledger/record.js";
import { noteActivity, noteRevocation, noteVerdict } from "../../../src/ledger/transitions/index.js";
import { moment, record, uncured } from "../records.js";

const { now } = moment();

describe("noteActivity", () => {
  const noted = (known: LedgerRecord | undefined, at: number) => noteActivity(() => at)(known, moment()).next;

  it("R41 moves the last activity forward only, and is no commit", () => {
    expect(noted(record(), 5_000)).toEqual(record({ lastActivityAt: 5_000 }));
    expect(noted(record({ lastActivityAt: 5_000 }), 5_000)).toBeUndefined();
    expect(noted(record({ lastActivityAt: 5_000 }), 4_000)).toBeUndefined();
    expect(noted(record(), record().signedInAt), "the sign-in was a sign of life").toBeUndefined();
  });

  it("R41 asks of the record that it found, and notes nothing in a session that has ended", () => {
    const asked: LedgerRecord[] = [];
    const note = noteActivity((known) => asked.push(known) * 5_000);
    expect(note(record({ epoch: 8 }), moment()).next?.lastActivityAt).toBe(5_000);
    expect(note(record({ signedIn: false }), moment()).next).toBeUndefined();
    expect(note(undefined, moment()).next).toBeUndefined();
    expect(asked).toEqual([record({ epoch: 8 })]);
  });
});

describe("noteRevocation", () => {
  it("R49 lets the next renewal for a refusal go at once, and keeps the count", () => {
    const { next } = noteRevocation(uncured(3, 4_000), moment());
    expect(next?.uncured).toEqual({ "": { count: 3, at: now, asked: 0, judged: 0 } });
    expect([isPaced(uncured(3, now), now), isPaced(next!, now)]).toEqual([true, false]);
    expect(noteRevocation(undefined, moment()).next).toBeUndefined();
  });

  it("leaves what is noted for other audiences", () => {
    const api = { count: 1, at: 4_000, asked: 0, judged: 0 };
    expect(noteRevocation(record({ uncured: { api } }), moment()).next?.uncured).toMatchObject({ api });
  });
});

describe("R49 what APIs have said of renewals that they asked for", () => {
  const afterVerdict = (known: LedgerRecord | undefined, renewal: number, accepted: boolean, at: number) =>
    noteVerdict(renewal, accepted)(known, moment({ now: at })).next;
  const noted = (known: LedgerRecord | undefined) => known?.uncured?.[""];

  it("moments far ahead, and counts below zero, as a wrong clock or a hostile page may note them, free nobody", () => {
    expect(noted(afterVerdict(uncured(1, now, { judged: 8e15 }), 500, false, now))?.count).toBe(2);
    expect(noted(afterVerdict(uncured(-1e9), 500, false, now))?.count).toBe(1);
  });

  it("counts each renewal once, however many calls and tabs it was made for, and none that came before", () => {
    const once = afterVerdict(record(), 500, false, now);
    expect(noted(once)).toEqual({ count: 1, at: now, asked: 0, judged: 500 });
    expect(afterVerdict(once, 500, false, now + 1)).toBeUndefined();
    expect(afterVerdict(once, 400, false, now + 1)).toBeUndefined();
    expect(noted(afterVerdict(once, 600, false, now + 1))).toMatchObject({ count: 2, at: now + 1, judged: 600 });
  });

  it("an accepted one ends it, and is written only where there is something to end", () => {
    expect(noted(afterVerdict(uncured(3), 500, true, now + 1))).toEqual({ count: 0, at: now + 1, asked: 0, judged: 0 });
    expect(afterVerdict(record(), 500, true, now)).toBeUndefined();
    expect(afterVerdict(record({ signedIn: false }), 500, false, now)).toBeUndefined();
    expect(afterVerdict(undefined, 500, false, now)).toBeUndefined();
  });
});
