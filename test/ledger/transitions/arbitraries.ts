import fc from "fast-check";
import { SessionError, type SessionErrorCode } from "../../../src/errors.js";
import type { Binding } from "../../../src/ledger/binding.js";
import type { AudienceToken, Failure, Lease, LedgerRecord, LedgerTokens, Uncured } from "../../../src/ledger/record.js";
import type { IssueOptions } from "../../../src/ledger/tokens-issued.js";
import type { Moment } from "../../../src/ledger/transitions/index.js";
import { seeded } from "../../../src/testing/chance.js";
import { makeJwt } from "../../../src/testing/jwt.js";
import type { TokenSet } from "../../../src/types/index.js";

/** All members that a record may have, but those of its format: no transition makes them, and each write does. */
export const members = Object.keys({
  ...{ epoch: 0, version: 0, fence: 0, by: 0, signedIn: 0, reason: 0, signedInAt: 0, lastActivityAt: 0, endsAt: 0, committedAt: 0 },
  ...{ issuedAt: 0, expiresAt: 0, dueAt: 0, final: 0, renewedBy: 0, refreshing: 0, failure: 0, uncured: 0, quietUntil: 0, lost: 0 },
  ...{ renewed: 0, inMemory: 0, bound: 0, pendingKey: 0, tokens: 0 },
} satisfies Required<Record<Exclude<keyof LedgerRecord, "format" | "servedFrom">, 0>>) as (keyof LedgerRecord)[];

const NOW = 10_000_000;
const few = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
/** Few, so that two of them are often the same. Some are in the future, as after a clock that was set back. */
const instant = few(NOW - 3_600_000, NOW - 60_000, NOW - 500, NOW, NOW + 400, NOW + 50_000, NOW + 7_200_000);
const tab = few("tab 1", "tab 2", "tab 3");
const count = fc.integer({ min: 1, max: 4 });

const jwts = ["ada", "grace"].flatMap((sub) =>
  [0, 100, 7_200].map((exp) => makeJwt({ sub, iat: NOW / 1000 - 60, ...(exp && { exp: NOW / 1000 + exp }) })),
);
const accessToken = few("opaque", "opaque too", ...jwts);
const refreshToken = few("r1", "r2");

const code = few<SessionErrorCode>("rejected", "network", "timeout", "throttled", "server", "configuration", "invalid-response");
const status = few(undefined, 0, 400, 429, 503);
const failure: fc.Arbitrary<Failure> = fc.record({
  ...{ code, status, attempt: count, at: instant },
  retryAt: fc.option(instant),
  odd: optional(fc.nat({ max: 12 })),
});
const lease: fc.Arbitrary<Lease> = fc.record({ tab, since: instant, timeout: few(10_000, 30_000), robbed: few(undefined, true) });
const uncured: fc.Arbitrary<Uncured> = fc.record({ count: few(-1, 0, 1, 4), at: instant, asked: few(0, NOW), judged: instant });
const audience: fc.Arbitrary<AudienceToken> = fc.record({
  ...{ accessToken: optional(accessToken), issuedAt: instant, expiresAt: fc.option(instant), dueAt: fc.option(instant) },
  ...{ failure: optional(failure), version: count, at: instant },
});
const keyPair = { privateKey: { type: "private" }, publicKey: { type: "public" } } as CryptoKeyPair;
const binding: fc.Arbitrary<Binding> = fc.record({
  keyPair: fc.constant(keyPair),
  scheme: few("DPoP", "Bearer"),
  skew: few(undefined, 60_000),
});
const stored: fc.Arbitrary<LedgerTokens> = fc.record({
  ...{ accessToken: optional(accessToken), refreshToken: optional(refreshToken), idToken: optional(few(...jwts)) },
  ...{ scope: few(undefined, "s"), binding: optional(binding), audiences: optional(fc.record({ api: audience })) },
});

/** Any record that storage or a message may hold. */
export const record: fc.Arbitrary<LedgerRecord> = fc
  .record({
    ...{ epoch: few(7, 8, NOW, NOW + 0.25), version: count, fence: count, by: tab, signedIn: fc.constant(true) },
    ...{ reason: few(undefined, "user", "rejected", "expired"), signedInAt: instant, lastActivityAt: optional(instant) },
    ...{ endsAt: optional(instant), committedAt: instant, issuedAt: instant, expiresAt: fc.option(instant), dueAt: fc.option(instant) },
    ...{ final: few(false, false, true), renewedBy: few(undefined, "refreshToken", "refreshToken", "accessToken") },
    ...{ refreshing: optional(lease), failure: optional(failure), quietUntil: optional(instant), lost: fc.boolean() },
    uncured: optional(fc.record({ "": uncured, api: optional(uncured) })),
    renewed: optional(fc.record({ version: count, at: instant })),
    inMemory: few(undefined, true),
    bound: few(undefined, undefined, true),
    pendingKey: few(undefined, keyPair),
    tokens: optional(stored),
  } as { [Member in (typeof members)[number]]: fc.Arbitrary<LedgerRecord[Member]> })
  .map(consistent);

/** A session begins or ends with an epoch of its own. */
function consistent(drawn: LedgerRecord): LedgerRecord {
  const signedIn = drawn.epoch !== 8;
  return { ...drawn, signedIn, reason: signedIn ? undefined : drawn.reason };
}

/** What became of `first`: mostly the same, with up to three members as in another record. */
export const after = (first: LedgerRecord): fc.Arbitrary<LedgerRecord> =>
  fc
    .tuple(record, fc.subarray(members, { maxLength: 3 }))
    .map(([other, changed]) => consistent({ ...first, ...Object.fromEntries(changed.map((member) => [member, other[member]])) }));

/** Mostly after it. Else any other, or none. */
export const related = (first: LedgerRecord): fc.Arbitrary<LedgerRecord | undefined> =>
  fc.oneof({ weight: 6, arbitrary: after(first) }, { weight: 2, arbitrary: record }, { weight: 1, arbitrary: fc.constant(undefined) });

/** Makes the same moment, with the same chance, at each call. */
export const moments: fc.Arbitrary<() => Moment> = fc
  .record({ now: instant, skew: few(0, -7_200_000, 300), tab, alone: fc.boolean(), seed: fc.nat() })
  .map(({ now, skew, tab, alone, seed }) => () => ({ now, deviceNow: now + skew, monotonic: 1_000, tab, alone, random: seeded(seed) }));

export const issued: fc.Arbitrary<TokenSet> = fc.record({
  ...{ accessToken, refreshToken: optional(refreshToken), idToken: optional(few(...jwts)), scope: few(undefined, "s", "t") },
  ...{ expiresIn: few(undefined, 60, 3_600), sessionExpiresIn: few(undefined, 9_000) },
});

export const issueOptions: fc.Arbitrary<IssueOptions> = fc.record({
  ...{ readClaims: few(true, true, false), expiryClaim: few("exp", "softexp") },
  strategy: fc.record({ needsRefreshToken: fc.boolean(), needsValidToken: few(undefined, true), renewEvery: few(undefined, 600_000) }),
}) as fc.Arbitrary<IssueOptions>;

export const sessionError: fc.Arbitrary<SessionError> = fc
  .record({ code, details: fc.record({ status, retryAfter: few(undefined, 3_000, 60_000), lost: fc.boolean() }) })
  .map(({ code, details }) => new SessionError(code, "failed", details));

export { accessToken, count, failure, few, instant, lease, optional, refreshToken };
