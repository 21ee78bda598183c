import { describe, expect, it } from "vitest";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { type IssueOptions, tokensIssued } from "../../src/ledger/tokens-issued.js";
import type { Moment } from "../../src/ledger/transitions/index.js";
import { fixed } from "../../src/testing/chance.js";
import { makeJwt } from "../../src/testing/jwt.js";
import type { TokenSet } from "../../src/types/index.js";
import { record } from "./records.js";

const NOW = Date.UTC(2030, 0, 1);
const options = { readClaims: true, expiryClaim: "exp", strategy: { needsRefreshToken: true }, lead: 10_000 };
const MOMENT: Moment = { now: NOW, deviceNow: NOW, monotonic: 0, tab: "a", alone: false, random: fixed(0.5) };
/** Tokens that renew the session of `previous`. */
const renewed = (previous: LedgerRecord, tokens: TokenSet, { age = 0 } = {}) =>
  tokensIssued(previous, { tokens, begins: false, age }, options, MOMENT).next;
/** Tokens that begin a session after `previous`. */
const begun = (previous: LedgerRecord | undefined, tokens: TokenSet, how: IssueOptions = options) =>
  tokensIssued(previous, { tokens, begins: true, age: 0 }, how, MOMENT).next;
const tokens = (changes: Partial<TokenSet> = {}): TokenSet => ({ accessToken: "opaque", refreshToken: "r2", expiresIn: 100, ...changes });

describe("the record that tokens make", () => {
  it("of a renewal keeps the session's epoch and counts on", () => {
    const next = renewed(record({ failure: { code: "server", attempt: 2, at: 1, retryAt: 2 }, lost: true }), tokens());
    expect(next).toMatchObject({
      epoch: 7,
      version: 4,
      fence: 2,
      signedIn: true,
      signedInAt: 1_000,
      lost: false,
      expiresAt: NOW + 100_000,
      dueAt: NOW + 90_000,
    });
    expect([next.failure, next.refreshing]).toEqual([undefined, undefined]);
  });

  it("of a renewal has a moment of its own, however soon it follows on the last", () => {
    const before = record({ committedAt: NOW });
    expect(renewed(before, tokens()).committedAt).toBe(NOW + 1);
    expect(renewed(record(), tokens()).committedAt).toBe(NOW);
    const wrong = record({ committedAt: NOW + 3_600_000 });
    expect(renewed(wrong, tokens()).committedAt).toBe(NOW);
  });

  it("of a sign-in has a new epoch, and nothing of the session before", () => {
    const next = begun(record(), tokens({ refreshToken: undefined }));
    expect(next.epoch).toBeGreaterThan(7);
    expect(next).toMatchObject({ version: 4, signedInAt: NOW, final: true, dueAt: null });
    expect(next.tokens?.refreshToken).toBeUndefined();
  });

  it("R24 keeps the refresh token, the id token and the scope that a response omits", () => {
    const before = record({ tokens: { accessToken: "a", refreshToken: "r1", idToken: "i1", scope: "s1" } });
    expect(renewed(before, { accessToken: "b" }).tokens).toMatchObject({
      accessToken: "b",
      refreshToken: "r1",
      idToken: "i1",
      scope: "s1",
    });
  });

  it("R16 counts the lifetime from when the request was sent, never away from more than half of it", () => {
    expect(renewed(record(), tokens(), { age: 3_000 }).expiresAt).toBe(NOW + 97_000);
    expect(renewed(record(), tokens(), { age: 99_000 }).expiresAt).toBe(NOW + 50_000);
  });

  it("a server that gives the same token again has made it no younger", () => {
    for (const same of [tokens({ expiresIn: undefined }), tokens({ accessToken: makeJwt({ sub: "ada" }) })]) {
      const before = record({ tokens: same, issuedAt: NOW - 50_000, expiresAt: NOW + 50_000 });
      const next = renewed(before, same);
      expect([next.expiresAt, next.dueAt]).toEqual([NOW + 50_000, NOW + 50_000]);
    }
  });

  it("R65 an opaque token that the server prolongs under the same name lives as long as the answer says", () => {
    const before = record({ tokens: tokens(), issuedAt: NOW - 50_000, expiresAt: NOW + 50_000 });
    expect(renewed(before, tokens())).toMatchObject({ expiresAt: NOW + 100_000, dueAt: NOW + 90_000 });
  });

  it.each([2 ** 63, Number.MAX_SAFE_INTEGER, 1e13, 1e306])(
    "R65 a session that lasts %d seconds ends at an instant that a record may have",
    (sessionExpiresIn) => {
      const { endsAt } = begun(record(), tokens({ sessionExpiresIn }));
      expect([endsAt! > NOW + 31 * 365 * 86_400_000, endsAt! <= 8.64e15]).toEqual([true, true]);
    },
  );

  describe("R16 where iat is older than the token, and the answer says no lifetime", () => {
    const iat = NOW / 1000 - 7_200;
    const jwt = (exp: number, claims = {}) => makeJwt({ iat, exp: NOW / 1000 + exp, ...claims });
    const former = (changes = {}) =>
      record({
        tokens: { accessToken: jwt(50), refreshToken: "r1" },
        ...{ issuedAt: NOW - 250_000, expiresAt: NOW + 50_000, committedAt: NOW - 250_000, ...changes },
      });
    const life = (accessToken: string, changes = {}, circumstances = {}) =>
      renewed(former(changes), { accessToken }, circumstances).expiresAt! - NOW;

    it("a renewed token lives as much longer as exp has moved", () => {
      expect(life(jwt(300))).toBe(300_000);
      expect(life(jwt(300), {}, { age: 2_000 })).toBe(300_000);
      expect(life(jwt(300, { iat: 1 }))).toBe(300_000);
      expect(life(jwt(900), { issuedAt: NOW - 7_200_000 }), "after a sign-in with an older one").toBe(900_000);
    });

    it("a clock that was set forward neither shortens a life by more than a tenth, nor makes it endless", () => {
      expect(life(jwt(300), { expiresAt: NOW - 200_000, issuedAt: NOW - 500_000, committedAt: NOW - 500_000 })).toBe(270_000);
      expect(life(jwt(300), { expiresAt: NOW - 3_600_000, issuedAt: NOW - 7_200_000, committedAt: NOW - 500_000 })).toBe(300_000);
    });

    it("what the answer says comes first", () => {
      expect(renewed(former(), { accessToken: jwt(300), expiresIn: 600 }).expiresAt).toBe(NOW + 600_000);
    });
  });

  it("R17 without any lifetime plans nothing", () => {
    expect(renewed(record(), tokens({ expiresIn: undefined }))).toMatchObject({ expiresAt: null, dueAt: null });
  });

  it("R16 believes the difference of a JWT's instants, not the instants", () => {
    const iat = NOW / 1000 - 7_200;
    const accessToken = makeJwt({ iat, exp: iat + 600 });
    const { expiresAt } = renewed(record(), { accessToken, refreshToken: "r" });
    expect((expiresAt ?? 0) - NOW).toBeGreaterThan(595_000);
    expect((expiresAt ?? 0) - NOW).toBeLessThanOrEqual(600_000);
  });

  it("R16 what can be exchanged only while it is valid has not expired because this clock says so: it is due at once", () => {
    const iat = NOW / 1000 - 7_200;
    const accessToken = makeJwt({ iat, exp: iat + 600 });
    const sliding = { ...options, strategy: { needsRefreshToken: false, needsValidToken: true } };
    expect(begun(record(), { accessToken }, sliding)).toMatchObject({ issuedAt: NOW, expiresAt: NOW + 600_000, dueAt: NOW });
    const half = makeJwt({ iat: NOW / 1000 - 300, exp: NOW / 1000 + 300 });
    expect(begun(record(), { accessToken: half }, sliding), "as old as it looks").toMatchObject({ expiresAt: NOW + 300_000 });
    const pair = { ...options, strategy: { needsRefreshToken: false } };
    expect(begun(record(), { accessToken }, pair).expiresAt, "a refresh tells the truth").toBe(NOW - 6_600_000);
  });

  describe("R68 of a JWT with exp alone", () => {
    const HOUR = 3_600_000;
    /** The tabs' clock is two hours ahead of the device's. */
    const ahead: Moment = { ...MOMENT, now: NOW + 2 * HOUR };
    const jwt = (left: number, claims = {}) => makeJwt({ exp: (NOW + left) / 1000, ...claims });
    const made = (accessToken: string, begins: boolean, changes = {}) =>
      tokensIssued(record(), { tokens: { accessToken, refreshToken: "r" }, begins, age: 0 }, { ...options, ...changes }, ahead).next;
    const sliding = { strategy: { needsRefreshToken: false, needsValidToken: true } };

    it.each([false, true])("is as long as the device's clock says (sign-in: %s)", (fresh) => {
      expect(made(jwt(HOUR), fresh).expiresAt).toBe(NOW + 3 * HOUR);
      expect(made(jwt(HOUR), fresh, sliding).expiresAt).toBe(NOW + 3 * HOUR);
      expect(made(jwt(2 * HOUR, { softexp: (NOW + HOUR) / 1000 }), fresh, { expiryClaim: "softexp" }).expiresAt).toBe(NOW + 3 * HOUR);
    });

    it.each([false, true])("is five minutes when that makes no sense (sign-in: %s)", (fresh) => {
      for (const changes of [{}, sliding]) {
        const { expiresAt, dueAt } = made(jwt(-HOUR), fresh, changes);
        expect(expiresAt).toBe(NOW + 2 * HOUR + 300_000);
        // What the app signs in with may be as old as it looks: the server is asked.
        if (fresh) expect(dueAt).toBe(NOW + 2 * HOUR);
        else expect(dueAt).toBeGreaterThan(NOW + 2 * HOUR);
      }
    });

    it("and of one with iat, a sign-in is no older than the device's clock says", () => {
      expect(made(jwt(HOUR, { iat: NOW / 1000 }), true).expiresAt).toBe(NOW + 3 * HOUR);
      expect(made(jwt(HOUR / 2, { iat: (NOW - HOUR / 2) / 1000 }), true).expiresAt).toBe(NOW + 2.5 * HOUR);
    });
  });
});
