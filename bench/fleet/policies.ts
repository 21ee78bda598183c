import { demandDelay, retryDelay } from "../../src/ledger/backoff.js";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { noteVerdict, withUncured } from "../../src/ledger/transitions/notes.js";
import type { Moment } from "../../src/ledger/transitions/transition.js";
import { attemptRefresh } from "../../src/refresh/attempt.js";
import { decide } from "../../src/refresh/decision.js";
import { normalizeOptions } from "../../src/session/options.js";
import { oauth2 } from "../../src/strategies/oauth2.js";
import { dueAfter, safetyMargin } from "../../src/token/lifetime.js";
import type { FreshToken, Policy } from "./simulate.js";

/** A record of which only the token's times, and the renewals that cured nothing, are of interest. */
const recordOf = ({ issuedAt, expiresAt, uncured }: FreshToken): LedgerRecord => ({
  epoch: 1,
  version: 2,
  fence: 2,
  by: "",
  signedIn: true,
  signedInAt: 0,
  committedAt: issuedAt,
  issuedAt,
  expiresAt,
  dueAt: null,
  final: false,
  lost: false,
  uncured: { "": uncured },
});

/** The code that apps run, with its defaults. */
export const tokentide: Policy = {
  name: "tokentide",
  due: (lifetime, first, random) => dueAfter({ lifetime, expiresAt: lifetime, claims: null }, first, {}, { random, complain: () => {} }),
  retry: ({ attempt, validity, lifetime, lost }, random) =>
    retryDelay({ attempt, validity, lifetime, lost, retryAfter: undefined }, random),
  demand: demandDelay,
  margin: safetyMargin,
  patience: patience(),
  refused(token, now) {
    const base = recordOf(token);
    const rights = { begins: false, demanded: true, refused: true, ignoresBackoff: false } as const;
    const decision = decide(base, { base, cause: "unauthorized", startedAt: now, ...rights }, now);
    return decision === "refresh" ? 0 : typeof decision === "number" ? decision : undefined;
  },
  uncured(before, at) {
    const renewed = withUncured(recordOf({ issuedAt: at, expiresAt: at, uncured: before }), { asked: at, at });
    const { next } = noteVerdict(at, false)(renewed, { now: at } as Moment);
    return (next ?? renewed).uncured?.[""];
  },
};

/** How long a request is waited for on a strict server: asked of the code that sends it, with a request that is never answered. */
function patience(): number {
  const environment = { origin: "https://app.example.test", monotonic: () => 0, setTimeout: () => 0, clearTimeout() {} } as never;
  const strategy = {
    ...oauth2({ tokenEndpoint: "https://auth.example.test/token", clientId: "spa" }),
    refresh: () => new Promise<never>(() => {}),
  };
  const settings = { ...normalizeOptions({ name: "fleet", refresh: strategy }), environment };
  const report = { debug() {} } as never;
  const flight = { cause: "due", begins: false, over: new AbortController().signal } as const;
  const lease = recordOf({ issuedAt: 0, expiresAt: 0, uncured: undefined });
  const { remaining } = attemptRefresh({ environment, settings, report, clock: {} as never, limits: {} as never }, flight, lease, 0);
  return Math.max(settings.refreshTimeout, remaining());
}

/** What the peers share: an access token is used until it expires, nothing spreads the retries but chance, and each 401 causes a renewal. */
const peer = (
  name: string,
  lead: (random: () => number) => number,
  again: Policy["retry"],
  patience = Number.POSITIVE_INFINITY,
): Policy => ({
  name,
  due: (lifetime, _first, random) => Math.max(1000, lifetime - lead(random)),
  retry: again,
  demand: () => 0,
  margin: () => 0,
  patience,
  refused: () => 0,
  uncured: () => undefined,
});

/** A fixed lead, and a tick that looks again: 90 s and 30 s are @supabase/auth-js's. Others differ in the numbers, not in the kind. */
export const fixedLead = peer(
  "fixed lead (90 s, looks every 30 s)",
  () => 90_000,
  () => 30_000,
);

/** jwt-autorefresh with the settings of its README: 60 to 90 s ahead in whole seconds. What follows a failure is the app's; 5 s here. */
export const autorefresh = peer(
  "jwt-autorefresh (60–90 s, as in its README)",
  (random) => 60_000 + 1000 * Math.floor(random() * 30),
  () => 5000,
);

/** @auth0/auth0-spa-js: 60 s ahead at the next call, here within 10 s; aborts a request after 10 s, and sends it three times in a row. */
export const abortsAndRepeats = peer(
  "@auth0/auth0-spa-js (aborts after 10 s, sends again at once)",
  (random) => 60_000 - 10_000 * random(),
  ({ attempt }) => (attempt % 3 ? 0 : 10_000),
  10_000,
);
