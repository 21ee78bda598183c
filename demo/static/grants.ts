import { people } from "../page/people.js";
import { type Grant, type Issued, log, type State } from "./state.js";

/** Strict single use: whoever presents a used refresh token ends the session, unless the server has a grace period. */
export function exchange(state: State, refreshToken: string): Issued | undefined {
  const grant = state.grants.find(({ current, used }) => current === refreshToken || Object.hasOwn(used, refreshToken));
  if (!grant) {
    log(state, "refused: invalid_grant");
    return undefined;
  }
  const used = grant.used[refreshToken];
  if (used && Date.now() - used.at < state.settings.reuseGraceSeconds * 1000) {
    log(state, "used refresh token presented within the grace", grant.id);
    return used.answer;
  }
  if (used) {
    state.stats.reused += 1;
    log(state, "used refresh token presented again", grant.id);
    revoke(state, grant);
    return undefined;
  }
  if (grant.revoked) {
    log(state, "refused: invalid_grant", grant.id);
    return undefined;
  }
  const answer = issue(state, grant);
  grant.used[refreshToken] = { at: Date.now(), answer };
  state.stats.refreshes += 1;
  log(state, "refreshed", grant.id);
  return answer;
}

export function signIn(state: State, subject: string): Issued {
  const grant: Grant = { id: (state.grants.at(-1)?.id ?? 0) + 1, subject, current: "", used: {}, revoked: false };
  state.grants.push(grant);
  log(state, "signed in", grant.id);
  return issue(state, grant);
}

function issue(state: State, grant: Grant): Issued {
  const { accessTokenSeconds } = state.settings;
  const iat = Math.floor(Date.now() / 1000);
  const exp = iat + accessTokenSeconds;
  const jti = crypto.randomUUID();
  grant.current = crypto.randomUUID();
  state.serial += 1;
  state.access[jti] = { serial: state.serial, grant: grant.id, expiresAt: exp * 1000 };
  return { claims: { sub: grant.subject, name: people[grant.subject] ?? grant.subject, iat, exp, jti }, refreshToken: grant.current };
}

export function revoke(state: State, grant: Grant): void {
  if (grant.revoked) return;
  grant.revoked = true;
  state.stats.revoked += 1;
  log(state, "revoked", grant.id);
}

/** Whom an access token speaks for; undefined when it is not accepted. */
export function check(state: State, jti: string | undefined): { sub: string; serial: number } | undefined {
  const known = jti === undefined ? undefined : state.access[jti];
  const grant = state.grants.find(({ id }) => id === known?.grant);
  const accepted =
    known && grant && !grant.revoked && Date.now() < known.expiresAt && known.serial > state.refusedUpTo && !state.faults.api;
  state.stats[accepted ? "apiOk" : "apiUnauthorized"] += 1;
  if (accepted) return { sub: grant.subject, serial: known.serial };
  log(state, "api: 401");
  return undefined;
}
