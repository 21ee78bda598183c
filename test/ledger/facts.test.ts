import { describe, expect, it } from "vitest";
import {
  cannotRenew,
  canRenew,
  demandedAt,
  isExpired,
  isPaced,
  lastRenewal,
  lifetimeIn,
  planNext,
  quietFor,
  usableUntil,
} from "../../src/ledger/facts.js";
import type { Failure, LedgerRecord } from "../../src/ledger/record.js";
import { moment, record, uncured } from "./records.js";

const { now } = moment();
const HOUR = 3_600_000;
const failure = (changes: Partial<Failure> = {}): Failure => ({ code: "server", attempt: 1, at: 39_000, retryAt: 60_000, ...changes });

describe("a record says", () => {
  it("of which commit its access token is", () => {
    expect(lastRenewal(record())).toEqual({ version: 3, at: 2_000 });
    expect(lastRenewal(record({ renewed: { version: 2, at: 1_500 } }))).toEqual({ version: 2, at: 1_500 });
  });

  it("whether this tab has the token that a renewal needs", () => {
    expect(canRenew(record())).toBe(true);
    expect(canRenew(record({ tokens: { accessToken: "access" } }))).toBe(false);
    expect(canRenew(record({ tokens: undefined }))).toBe(false);
    expect(canRenew(record({ renewedBy: "accessToken", tokens: { accessToken: "access" } }))).toBe(true);
    expect(canRenew(record({ renewedBy: undefined, tokens: undefined })), "a cookie").toBe(true);
  });

  it("R17 how long its token lives, and whether it has expired: not, where nobody knows", () => {
    expect([lifetimeIn(record()), isExpired(record(), 61_999), isExpired(record(), 62_000)]).toEqual([60_000, false, true]);
    const unknown = record({ expiresAt: null });
    expect([lifetimeIn(unknown), isExpired(unknown, 8e15), usableUntil(unknown)]).toEqual([undefined, false, Infinity]);
  });

  it("until when its token may be sent, so that it arrives while it is valid", () => {
    expect(usableUntil(record())).toBe(60_800);
    expect(usableUntil(record({ expiresAt: 2_000 + HOUR }))).toBe(2_000 + HOUR - 5_000);
  });

  it("R20 when no tab can renew it any more", () => {
    expect([cannotRenew(record(), now), cannotRenew(record({ final: true }), now)]).toEqual([false, true]);
    const sliding = record({ renewedBy: "accessToken" });
    expect([cannotRenew(sliding, 61_999), cannotRenew(sliding, 62_000), cannotRenew(record(), 62_000)]).toEqual([false, true, false]);
  });

  it("R64 how long the server asked all tabs to wait: a day at most, or a clock was wrong", () => {
    const quiet = (milliseconds: number) => quietFor(record({ quietUntil: now + milliseconds }), now);
    expect([quiet(1), quiet(24 * HOUR), quiet(0), quiet(-1), quiet(24 * HOUR + 1)]).toEqual([1, 24 * HOUR, 0, 0, 0]);
    expect(quietFor(record(), now)).toBe(0);
  });

  it("R18 when a call may cause the next attempt: soon at first, and never later than the scheduler", () => {
    const demanded = (changes?: Partial<Failure>) => demandedAt(record({ failure: failure(changes), expiresAt: 2_000 + HOUR }));
    expect([demanded(), demanded({ attempt: 2 }), demanded({ attempt: 9 })]).toEqual([40_000, 43_000, 60_000]);
    expect(demandedAt(record())).toBe(0);
    expect(demanded({ retryAt: null }), "a mistake in the set-up").toBe(Infinity);
  });
});

describe("R49 whether a renewal for a refusal is to wait", () => {
  it.each([
    [1, 1_000],
    [2, 4_000],
    [3, 16_000],
    [4, 60_000],
    [9_000, 60_000],
  ])("%i without a cure: the next one %i ms after the last", (count, pause) => {
    expect(isPaced(uncured(count), now + pause - 1)).toBe(true);
    expect(isPaced(uncured(count), now + pause)).toBe(false);
  });

  it("a token that no refusal asked for is not suspected, nor is one whose refusals are over", () => {
    expect(isPaced(uncured(3, now, { asked: 1 }), now)).toBe(false);
    expect(isPaced(uncured(0), now)).toBe(false);
    expect(isPaced(record(), now)).toBe(false);
  });

  it("moments far ahead, as a wrong clock or a hostile page may note them, bind nobody for ever", () => {
    expect(isPaced(uncured(4, 8e15), now)).toBe(false);
  });
});

describe("what the scheduler does next", () => {
  const plan = (changes: Partial<LedgerRecord> = {}, limit = Infinity, ...how: [renews?: boolean, notBefore?: number]) =>
    planNext(record(changes), limit, ...how);
  const refresh = (at: number) => ({ action: "refresh", at });
  const end = (at: number) => ({ action: "end", at });

  it("R14 renews when the token is due, or after a failure when the next attempt is", () => {
    expect(plan()).toEqual(refresh(50_000));
    expect(plan({ failure: failure() })).toEqual(refresh(60_000));
  });

  it("R42 nothing without a session, or with a token whose expiry nobody knows", () => {
    expect(planNext(undefined, Infinity)).toBeUndefined();
    expect(plan({ signedIn: false })).toBeUndefined();
    expect(plan({ expiresAt: null, dueAt: null })).toBeUndefined();
  });

  it("looks for another tab's result when this tab would need it, where this tab cannot renew", () => {
    expect(plan({ tokens: { accessToken: "access" } })).toEqual(refresh(62_000));
  });

  it("R41 ends the session at its greatest age, and renews nothing that a valid token outlives", () => {
    expect(plan({}, 41_000)).toEqual(end(41_000));
    expect(plan({}, 60_800), "the token serves until then").toEqual(end(60_800));
    expect(plan({}, 60_801)).toEqual(refresh(50_000));
  });

  it("R20 ends a session that no tab can renew with its token", () => {
    expect(plan({ final: true, dueAt: null })).toEqual(end(62_000));
    expect(plan({ failure: failure({ retryAt: null }) })).toEqual(end(62_000));
    expect(plan({ final: true, expiresAt: null, dueAt: null })).toBeUndefined();
  });

  it("renews a token that serves only while it is valid until it expires, and ends the session then", () => {
    const sliding = { renewedBy: "accessToken", tokens: { accessToken: "access" } } as const;
    expect(plan(sliding)).toEqual(refresh(50_000));
    expect(plan({ ...sliding, failure: failure({ retryAt: 70_000 }) })).toEqual(end(62_000));
  });

  it("leaves a token to lapse, or waits with it, where the app does", () => {
    expect(plan({}, Infinity, false)).toBeUndefined();
    expect(plan({}, HOUR, false)).toEqual(end(HOUR));
    expect(plan({}, Infinity, true, 55_000)).toEqual(refresh(55_000));
    expect(plan({}, Infinity, true, 30_000)).toEqual(refresh(50_000));
  });
});
