import { describe, expect, it } from "vitest";
import type { LedgerRecord } from "../../../src/ledger/record.js";
import { acceptRenewal, end, hear, noChange, prepareSignIn, signedOut, signIn, signOut } from "../../../src/ledger/transitions/index.js";
import { makeJwt } from "../../../src/testing/jwt.js";
import { moment, options, record } from "../records.js";

const { now } = moment();
const lease = { tab: "tab 3", since: 39_000, timeout: 10_000 };

const asked = (at: number, epoch?: number) => ({ asked: at, epoch });

describe("signIn", () => {
  const tokens = { accessToken: "access 2", refreshToken: "refresh 2", expiresIn: 60 };

  it("begins a session whose epoch is of the moment at which it was asked for", () => {
    const step = signIn(tokens, asked(now - 5_000), options)(undefined, moment());
    expect(step.next).toMatchObject({ version: 1, fence: 0, by: "tab 2", signedIn: true, signedInAt: now, tokens });
    expect(step.next?.epoch).toBeGreaterThanOrEqual(now - 5_000);
    expect(step.next?.epoch).toBeLessThan(now - 4_999);
  });

  it("R25 takes nothing of the session before but its numbers, and what the server asked all tabs for", () => {
    const failure = { code: "server", attempt: 1, at: 3_000, retryAt: 9_000 } as const;
    const before = record({ ...{ failure, lost: true, refreshing: lease, lastActivityAt: 5_000, quietUntil: 50_000 }, uncured: {} });
    const { next } = signIn({ accessToken: "access 2", refreshToken: "refresh 2" }, asked(now), options)(before, moment());
    expect(next).toMatchObject({ version: 4, fence: 2, quietUntil: 50_000, lost: false, signedInAt: now });
    const rest = [next?.failure, next?.refreshing, next?.lastActivityAt, next?.uncured, next?.tokens?.scope];
    expect(rest).toEqual([undefined, undefined, undefined, undefined, undefined]);
  });

  it("R9 by a cookie leaves the lease of the tab that may be presenting the cookie", () => {
    const byCookie = { ...options, strategy: { needsRefreshToken: false } };
    const { next } = signIn({ accessToken: "access 2" }, asked(now), byCookie)(record({ refreshing: lease }), moment());
    expect(next?.refreshing).toEqual(lease);
  });

  it.each([
    ["later sign-in of another tab", { epoch: now - 10, signedInAt: now - 10, committedAt: now - 5 }, true],
    ["later sign-out in another tab", { epoch: now - 10, signedIn: false, reason: "user", committedAt: now - 10 }, true],
    ["later end for another reason", { epoch: now - 10, signedIn: false, reason: "expired", committedAt: now - 10 }, false],
    ["sign-in that was asked for before, and stored later", { epoch: now - 50, signedInAt: now - 10, committedAt: now - 10 }, false],
    ["session that this tab knew, renewed since", { epoch: 1, signedInAt: 1, committedAt: now - 10 }, false],
  ] as const)("R38 whose page was away meanwhile: a %s stays: %#", (_, changes, stays) => {
    const known = record({ by: "tab 9", ...changes } as Partial<LedgerRecord>);
    expect(signIn(tokens, asked(now - 20, 1), options)(known, moment()).next === undefined).toBe(stays);
  });

  it.each(["user", undefined] as const)("R38 stored late by a tab that had read no ledger: a later change stays (%s)", (reason) => {
    const known = record({ by: "tab 9", epoch: now - 10, signedInAt: now - 10, committedAt: now - 10, signedIn: !reason, reason });
    expect(signIn(tokens, asked(now - 20), options)(known, moment())).toEqual({ outcome: known });
    const moved = moment({ deviceNow: now - 3_600_000 });
    expect(signIn(tokens, asked(now - 20), options)(known, moved).next, "whose clock was behind").toBeDefined();
  });

  it("R65 hands on what the developer should know of the tokens", () => {
    const { problems } = signIn({ ...tokens, accessToken: makeJwt({ exp: "soon" }) }, asked(now), options)(undefined, moment());
    expect(problems).toContain("exp cannot be read, and is not used");
    expect(signIn(tokens, asked(now), options)(undefined, moment()).problems).toEqual([]);
  });
});

describe("prepareSignIn", () => {
  it("writes a record that a lease can be taken on, where there is none, and else nothing", () => {
    const nobody = signedOut(undefined, moment(), "user");
    expect(prepareSignIn(nobody)(undefined, moment()).next).toBe(nobody);
    expect(prepareSignIn(nobody)(record(), moment()).next).toBeUndefined();
  });
});

describe("acceptRenewal", () => {
  const jwt = (exp: number, sub = "ada") => makeJwt({ sub, iat: exp - 60, exp });
  const [old, later, grace] = [jwt(80), jwt(100), jwt(100, "grace")];
  const offer = (token: string, changes: Partial<LedgerRecord> = {}, { epoch = 7, sent = "another", how = options } = {}) =>
    acceptRenewal({ tokens: { accessToken: token }, epoch, sent }, how)(
      record({ tokens: { accessToken: old, refreshToken: "refresh" }, ...changes }),
      moment(),
    );

  it("commits a token that ends later than the one in force, and leaves the refresh token", () => {
    const { next, outcome } = offer(later);
    expect(outcome).toBe(true);
    expect(next).toMatchObject({ epoch: 7, version: 4, committedAt: now, tokens: { accessToken: later, refreshToken: "refresh" } });
  });

  it("is refused by a token that ends no later, or is the very one in force", () => {
    for (const token of [jwt(80), jwt(70), old]) expect(offer(token)).toEqual({ outcome: false });
  });

  it("commits an opaque token only if it answers a request with the one in force", () => {
    expect(offer("opaque", {}, { sent: old }).outcome).toBe(true);
    expect(offer("opaque", {}, { sent: "another" }).outcome).toBe(false);
    expect(offer(later, {}, { how: { ...options, readClaims: false } }).outcome, "claims are not read").toBe(false);
  });

  it("R44 is refused by another user's token", () => {
    expect(offer(grace)).toEqual({ outcome: false });
  });

  it("R25 is refused by another session, a session that has ended, and one without a token here", () => {
    expect(offer(later, {}, { epoch: 6 }).outcome).toBe(false);
    expect(offer(later, { signedIn: false }).outcome).toBe(false);
    expect(offer(later, { tokens: undefined }).outcome).toBe(false);
    const none = acceptRenewal({ tokens: { accessToken: later }, epoch: 7, sent: old }, options)(undefined, moment());
    expect(none).toEqual({ outcome: false });
  });

  it("keeps the failure after which nothing can renew, since it is the reason of the end", () => {
    const failure = { code: "credential-lost", attempt: 1, at: 3_000, retryAt: null } as const;
    const lost = { failure, final: true, renewedBy: undefined, tokens: { accessToken: old } };
    expect(offer(later, lost)).toMatchObject({ outcome: true, next: { failure, final: true, tokens: { accessToken: later } } });
    expect(offer(later, { failure: { ...failure, code: "server" } }).next?.failure).toBeUndefined();
  });

  it("lets a refresh under way go first, and the tab that can renew", () => {
    expect(offer(later, { refreshing: lease }).outcome).toBe(false);
    expect(offer(later, { tokens: { accessToken: old } }).outcome).toBe(false);
  });
});

describe("end", () => {
  const failure = { code: "rejected", attempt: 1, at: 3_000, retryAt: null } as const;

  it("ends the session of the commit that was seen, with its reason and the failure behind it", () => {
    const { next, outcome } = end(record(), "rejected", failure)(record({ lost: true }), moment());
    expect(next).toMatchObject({ signedIn: false, reason: "rejected", version: 4, by: "tab 2", committedAt: now, lost: true, failure });
    expect([next?.tokens, outcome]).toEqual([undefined, undefined]);
  });

  it("R3 lets a session go on that another tab has renewed meanwhile, and ends none twice", () => {
    for (const changes of [{ committedAt: 3_000 }, { epoch: 8 }, { by: "tab 3" }, { signedIn: false }])
      expect(end(record(), "expired")(record(changes), moment()).next).toBeUndefined();
    expect(end(record(), "expired")(record({ version: 9 }), moment()).next?.signedIn, "counted higher").toBe(false);
    expect(end(undefined, "expired")(record(), moment()).next).toBeUndefined();
    expect(end(undefined, "expired")(undefined, moment()).next).toBeUndefined();
  });
});

describe("signOut", () => {
  const shown = record();
  const ended = signedOut(shown, moment(), "user");

  it("R25 ends whatever session there is, counts on from it, and tells which record it replaced", () => {
    const known = record({ version: 9, fence: 5, quietUntil: 50_000, refreshing: lease });
    const { next, outcome } = signOut(ended)(known, moment());
    expect(next).toEqual({ ...ended, version: 10, fence: 5, quietUntil: 50_000 });
    expect([outcome, next?.refreshing]).toEqual([known, undefined]);
  });

  it("leaves a later session alone, into which another tab has signed in since", () => {
    expect(signOut(ended)(record({ epoch: ended.epoch + 1 }), moment())).toEqual({ outcome: undefined });
  });

  it("R42 says that a user has signed out only where a user was signed in", () => {
    const before = signedOut(undefined, moment(), "user");
    expect(signOut(before)(undefined, moment())).toEqual({ next: before, outcome: undefined });
    expect(before.reason).toBeUndefined();
    expect(signOut(before)(record(), moment()).next?.reason, "not yet restored").toBe("user");
    expect(signOut(before)(record({ signedIn: false }), moment()).next?.reason).toBeUndefined();
  });
});

describe("hear", () => {
  it("R3 takes in a newer record, and nothing of one that is not", () => {
    const told = record({ version: 4, committedAt: 3_000, tokens: { accessToken: "access 2" } });
    expect(hear(told, false)(record(), moment())).toEqual({ next: told, outcome: undefined });
    expect(hear(told, false)(undefined, moment()).next).toBe(told);
    expect(hear(record(), false)(told, moment()).next).toBeUndefined();
    expect(hear(record(), false)(record(), moment()).next).toBeUndefined();
  });

  it("R93 takes in nothing but an end where the tabs share the ledger, unless this tab is alone", () => {
    const told = record({ version: 4, committedAt: 3_000, tokens: { accessToken: "access 2" } });
    expect(hear(told, true)(record(), moment()).next).toBeUndefined();
    expect(hear(told, true)(undefined, moment()).next).toBeUndefined();
    expect(hear(told, true)(record(), moment({ alone: true })).next).toEqual(told);
    const over = record({ epoch: 8, version: 9, by: "tab 3", signedIn: false, reason: "rejected", committedAt: 99_000 });
    const next = hear(over, true)(record(), moment()).next;
    expect(next).toMatchObject({ signedIn: false, reason: "rejected", by: "tab 3", version: 4, committedAt: 40_000 });
    expect(hear(record({ epoch: 6, signedIn: false, tokens: undefined }), true)(record(), moment()).next, "an earlier end").toBeUndefined();
  });

  it("R49 takes in an API's later word, whatever was committed since", () => {
    const word = (at: number) => ({ "": { count: 1, at, asked: 0, judged: 0 } });
    const known = record({ uncured: word(4_000) });
    expect(hear(record({ uncured: word(5_000) }), false)(known, moment()).next).toEqual(record({ uncured: word(5_000) }));
    expect(hear(record({ uncured: word(3_000) }), false)(known, moment()).next).toBeUndefined();
    const renewed = record({ version: 4, committedAt: 3_000 });
    expect(hear(renewed, false)(known, moment()).next?.uncured, "known before").toEqual(word(4_000));
    expect(hear(record({ epoch: 8 }), false)(known, moment()).next?.uncured, "of the session before").toBeUndefined();
  });
});

describe("noChange", () => {
  it("leaves any record as it is", () => {
    expect(noChange(record(), moment())).toEqual({ outcome: undefined });
    expect(noChange(undefined, moment())).toEqual({ outcome: undefined });
  });
});

describe("the record of a session that has ended", () => {
  it("R25 holds no token, and its epoch is later, also when the clock was turned back", () => {
    const over = signedOut(record(), moment({ now: 1 }), "user");
    expect(over).toMatchObject({ signedIn: false, reason: "user", version: 4, expiresAt: null, dueAt: null });
    expect(over.tokens).toBeUndefined();
    expect(over.epoch).toBeGreaterThan(7);
  });

  it("keeps the fence, when the session began, and how long the server asked all tabs to wait", () => {
    const over = signedOut(record({ quietUntil: 50_000, refreshing: lease }), moment(), "idle");
    expect(over).toMatchObject({ fence: 2, signedInAt: 1_000, quietUntil: 50_000, by: "tab 2", committedAt: now, lost: false });
    expect(over.refreshing).toBeUndefined();
  });

  it("has no reason where there was no session", () => {
    expect(signedOut(undefined, moment(), "user")).toMatchObject({ reason: undefined, version: 1, fence: 0, signedInAt: now });
  });
});
