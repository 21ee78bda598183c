import { people } from "../page/people.js";
import { type Grant, type Issued, log, type State } from "./state.js";

/** How many times longer than its `softexp` such a token lives. */
const HARD = 6;

/**
 * Strict single use: whoever presents a used refresh value ends the session, unless the server has a grace period. A value that was issued
 * together with an access token renews only with that one, named by `tokenId`.
 */
export function exchange(state: State, way: string, value: string, tokenId?: string): Issued | undefined {
  const grant = ownerOf(state, way, value);
  const used = grant?.used[value];
  if (!grant || (tokenId !== undefined && tokenId !== (used?.answer.before ?? grant.tokenId))) {
    log(state, "refused: unknown");
    return undefined;
  }
  if (used && way === "oauth2" && Date.now() - used.at < state.settings.reuseGraceSeconds * 1000) {
    log(state, "used refresh token presented within the grace", grant.id);
    return used.answer;
  }
  if (used) {
    state.stats.reused += 1;
    log(state, "used refresh token presented again", grant.id);
    revoke(state, grant);
    return undefined;
  }
  const answer = renew(state, grant);
  if (answer) grant.used[value] = { at: Date.now(), answer };
  return answer;
}

/** A token that is still valid, and that the caller has verified, for a later one. */
export function slide(state: State, jti: string): Issued | undefined {
  const grant = grantOf(state, jti);
  return grant && renew(state, grant);
}

function renew(state: State, grant: Grant): Issued | undefined {
  if (grant.ended) {
    log(state, "refused: the session has ended", grant.id);
    return undefined;
  }
  const answer = issue(state, grant);
  state.stats.refreshes += 1;
  log(state, "refreshed", grant.id);
  return answer;
}

export function signIn(state: State, way: string, subject: string): Issued {
  const id = (state.grants.at(-1)?.id ?? 0) + 1;
  const grant: Grant = { id, way, subject, csrf: crypto.randomUUID(), current: "", tokenId: "", used: {}, ended: false };
  state.grants.push(grant);
  log(state, "signed in", grant.id);
  return issue(state, grant);
}

function issue(state: State, grant: Grant): Issued {
  const { accessTokenSeconds: seconds } = state.settings;
  const { way, subject: sub } = grant;
  const iat = Math.floor(Date.now() / 1000);
  const soft = way === "softexp" ? { softexp: iat + seconds } : {};
  const exp = iat + seconds * (way === "softexp" ? HARD : 1);
  const before = grant.tokenId;
  const jti = crypto.randomUUID();
  grant.tokenId = jti;
  grant.current = crypto.randomUUID();
  state.serial += 1;
  state.access[jti] = { serial: state.serial, grant: grant.id, goodUntil: (soft.softexp ?? exp) * 1000, expiresAt: exp * 1000 };
  return { claims: { sub, name: people[sub] ?? sub, iat, exp, jti, ...soft }, refreshToken: grant.current, csrf: grant.csrf, before };
}

export const ownerOf = (state: State, way: string, value: string | undefined): Grant | undefined =>
  state.grants.find((grant) => grant.way === way && value !== undefined && (grant.current === value || Object.hasOwn(grant.used, value)));

export const grantOf = (state: State, jti: string | undefined): Grant | undefined =>
  state.grants.find(({ id }) => jti !== undefined && id === state.access[jti]?.grant);

export function revoke(state: State, grant: Grant): void {
  if (grant.ended) return;
  grant.ended = true;
  state.stats.revoked += 1;
  log(state, "revoked", grant.id);
}

/** Whom an access token speaks for; `"expired"` when it was good once, `"invalid"` when its session has ended or there never was one. */
export function check(state: State, way: string, jti: string | undefined): { sub: string; serial: number } | "expired" | "invalid" {
  const outcome = judge(state, way, jti);
  state.stats[typeof outcome === "object" ? "apiOk" : "apiUnauthorized"] += 1;
  if (typeof outcome !== "object") log(state, "api: 401");
  return outcome;
}

function judge(state: State, way: string, jti: string | undefined): ReturnType<typeof check> {
  const known = jti === undefined ? undefined : state.access[jti];
  const grant = grantOf(state, jti);
  if (!known || !grant || grant.way !== way) return "invalid";
  if (Date.now() >= known.goodUntil || known.serial <= state.refusedUpTo || state.faults.api) return "expired";
  return grant.ended ? "invalid" : { sub: grant.subject, serial: known.serial };
}
