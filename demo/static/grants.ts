import { familyOf, judgeRefreshToken } from "../../src/testing/families.js";
import { people } from "../page/people.js";
import { type Proof, proves } from "./proofs.js";
import { type Grant, type Issued, log, type State } from "./state.js";

/** The lifetime of a token with `softexp`, as a multiple of its soft lifetime. */
const HARD = 6;

interface Presented {
  readonly tokenId?: string;
  readonly proof?: Proof | undefined;
}

/**
 * Exchanges a refresh value. A value can be used once; a second use after the grace period ends the session. With `tokenId`, the value must
 * belong to the access token with this `jti`. A value that is bound to a key needs a proof, also to be taken for a second use.
 */
export function exchange(state: State, way: string, value: string, { tokenId, proof }: Presented = {}): Issued | undefined {
  const grant = ownerOf(state, way, value);
  const former = grant?.used[value]?.answer;
  if (!grant || (tokenId !== undefined && tokenId !== (former?.before ?? grant.tokenId))) {
    log(state, "refused: unknown");
    return undefined;
  }
  if (grant.jkt !== undefined && !proves(state, grant.jkt, proof)) {
    log(state, "refused: no proof of its key", grant.id);
    return undefined;
  }
  const now = Date.now();
  const grace = way === "oauth2" && !grant.jkt ? state.settings.reuseGraceSeconds * 1000 : 0;
  switch (judgeRefreshToken(grant, value, { now, grace })) {
    case "reused":
      state.stats.reused += 1;
      log(state, "used refresh token presented again", grant.id);
      revoke(state, grant);
      return undefined;
    case "repeated":
      log(state, "used refresh token presented within the grace", grant.id);
      return former;
    case "ended":
      return refuseEnded(state, grant);
    case "renews": {
      const answer = renew(state, grant);
      grant.used[value] = { at: now, answer };
      return answer;
    }
  }
}

/** Exchanges an access token for a later one. The caller has verified that the token is valid. */
export function slide(state: State, jti: string): Issued | undefined {
  const grant = grantOf(state, jti);
  if (!grant) return undefined;
  return grant.ended ? refuseEnded(state, grant) : renew(state, grant);
}

function refuseEnded(state: State, { id }: Grant): undefined {
  log(state, "refused: the session has ended", id);
}

function renew(state: State, grant: Grant): Issued {
  const answer = issue(state, grant);
  state.stats.refreshes += 1;
  log(state, "refreshed", grant.id);
  return answer;
}

export function signIn(state: State, way: string, subject: string, jkt?: string): Issued {
  const id = (state.grants.at(-1)?.id ?? 0) + 1;
  const bound = jkt === undefined ? {} : { jkt };
  const grant: Grant = { id, way, subject, ...bound, csrf: crypto.randomUUID(), current: "", tokenId: "", used: {}, ended: false };
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
  const bound = grant.jkt === undefined ? {} : { cnf: { jkt: grant.jkt } };
  const before = grant.tokenId;
  const jti = crypto.randomUUID();
  grant.tokenId = jti;
  grant.current = crypto.randomUUID();
  state.serial += 1;
  state.access[jti] = { serial: state.serial, grant: grant.id, goodUntil: (soft.softexp ?? exp) * 1000, expiresAt: exp * 1000 };
  return {
    claims: { sub, name: people[sub] ?? sub, iat, exp, jti, ...soft, ...bound },
    refreshToken: grant.current,
    csrf: grant.csrf,
    before,
  };
}

export function ownerOf({ grants }: State, way: string, value: string | undefined): Grant | undefined {
  if (value === undefined) return undefined;
  const ofTheWay = grants.filter((grant) => grant.way === way);
  return familyOf(ofTheWay, value);
}

export const grantOf = (state: State, jti: string | undefined): Grant | undefined =>
  state.grants.find(({ id }) => jti !== undefined && id === state.access[jti]?.grant);

export function revoke(state: State, grant: Grant): void {
  if (grant.ended) return;
  grant.ended = true;
  state.stats.revoked += 1;
  log(state, "revoked", grant.id);
}

type Judgement = { sub: string; serial: number } | "expired" | "unproven" | "invalid";

/** The user and the number of an access token. `"invalid"` for an unknown token and for a token whose session has ended. */
export function check(state: State, way: string, jti: string | undefined, proof?: Proof): Judgement {
  const outcome = judge(state, way, jti, proof);
  state.stats[typeof outcome === "object" ? "apiOk" : "apiUnauthorized"] += 1;
  if (typeof outcome !== "object") log(state, "api: 401");
  return outcome;
}

function judge(state: State, way: string, jti: string | undefined, proof: Proof | undefined): Judgement {
  const known = jti === undefined ? undefined : state.access[jti];
  const grant = grantOf(state, jti);
  if (!known || !grant || grant.way !== way) return "invalid";
  if (Date.now() >= known.goodUntil || known.serial <= state.refusedUpTo || state.faults.api) return "expired";
  if (grant.ended) return "invalid";
  if (grant.jkt !== undefined && !proves(state, grant.jkt, proof)) return "unproven";
  return { sub: grant.subject, serial: known.serial };
}
