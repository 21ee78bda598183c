import { describe, expect, it } from "vitest";
import { issue } from "../../src/refresh/issue.js";
import { fixed } from "../../src/testing/chance.js";
import { makeJwt } from "../../src/testing/jwt.js";
import type { TokenSet } from "../../src/types.js";
import { record } from "../ledger/records.js";

const NOW = Date.UTC(2030, 0, 1);
const options = { readClaims: true, expiryClaim: "exp", strategy: { needsRefreshToken: true }, lead: 10_000 };
const at = (changes = {}) => ({ tab: "a", now: NOW, age: 0, random: fixed(0.5), complain: () => {}, ...changes });
const tokens = (changes: Partial<TokenSet> = {}): TokenSet => ({ accessToken: "opaque", refreshToken: "r2", expiresIn: 100, ...changes });

describe("the record that tokens make", () => {
  it("of a renewal keeps the session's epoch and counts on", () => {
    const next = issue(
      record({ failure: { code: "server", attempt: 2, at: 1, retryAt: 2, throttled: false }, lost: true }),
      tokens(),
      false,
      options,
      at(),
    );
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
    expect(issue(before, tokens(), false, options, at()).committedAt).toBe(NOW + 1);
    expect(issue(record(), tokens(), false, options, at()).committedAt).toBe(NOW);
    const wrong = record({ committedAt: NOW + 3_600_000 });
    expect(issue(wrong, tokens(), false, options, at()).committedAt).toBe(NOW);
  });

  it("of a sign-in has a new epoch, and nothing of the session before", () => {
    const next = issue(record(), tokens({ refreshToken: undefined }), true, options, at());
    expect(next.epoch).toBeGreaterThan(7);
    expect(next).toMatchObject({ version: 4, signedInAt: NOW, final: true, dueAt: null });
    expect(next.tokens?.refreshToken).toBeUndefined();
  });

  it("R24 keeps the refresh token, the id token and the scope that a response omits", () => {
    const before = record({ tokens: { accessToken: "a", refreshToken: "r1", idToken: "i1", scope: "s1" } });
    expect(issue(before, { accessToken: "b" }, false, options, at()).tokens).toMatchObject({
      accessToken: "b",
      refreshToken: "r1",
      idToken: "i1",
      scope: "s1",
    });
  });

  it("R16 counts the lifetime from when the request was sent, never away from more than half of it", () => {
    expect(issue(record(), tokens(), false, options, at({ age: 3_000 })).expiresAt).toBe(NOW + 97_000);
    expect(issue(record(), tokens(), false, options, at({ age: 99_000 })).expiresAt).toBe(NOW + 50_000);
  });

  it("a server that gives the same token again has made it no younger", () => {
    const before = record({ tokens: tokens(), issuedAt: NOW - 50_000, expiresAt: NOW + 50_000 });
    const next = issue(before, tokens(), false, options, at());
    expect([next.expiresAt, next.dueAt]).toEqual([NOW + 50_000, NOW + 50_000]);
  });

  it("R17 without any lifetime plans nothing", () => {
    expect(issue(record(), tokens({ expiresIn: undefined }), false, options, at())).toMatchObject({ expiresAt: null, dueAt: null });
  });

  it("R16 believes the difference of a JWT's instants, not the instants", () => {
    const iat = NOW / 1000 - 7_200;
    const accessToken = makeJwt({ iat, exp: iat + 600 });
    const { expiresAt } = issue(record(), { accessToken, refreshToken: "r" }, false, options, at());
    expect((expiresAt ?? 0) - NOW).toBeGreaterThan(595_000);
    expect((expiresAt ?? 0) - NOW).toBeLessThanOrEqual(600_000);
  });

  it("R16 what can be exchanged only while it is valid has not expired because this clock says so: it is due at once", () => {
    const iat = NOW / 1000 - 7_200;
    const accessToken = makeJwt({ iat, exp: iat + 600 });
    const sliding = { ...options, strategy: { needsRefreshToken: false, needsValidToken: true } };
    expect(issue(record(), { accessToken }, true, sliding, at())).toMatchObject({ issuedAt: NOW, expiresAt: NOW + 600_000, dueAt: NOW });
    const half = makeJwt({ iat: NOW / 1000 - 300, exp: NOW / 1000 + 300 });
    expect(issue(record(), { accessToken: half }, true, sliding, at()), "as old as it looks").toMatchObject({ expiresAt: NOW + 300_000 });
    const pair = { ...options, strategy: { needsRefreshToken: false } };
    expect(issue(record(), { accessToken }, true, pair, at()).expiresAt, "a refresh tells the truth").toBe(NOW - 6_600_000);
  });
});
