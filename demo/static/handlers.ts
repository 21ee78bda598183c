import { jwtVerify, SignJWT } from "jose";
import { HttpResponse, http } from "msw";
import { at } from "../page/place.js";
import type { ServerState, TokenFault } from "../page/server.js";
import { check, exchange, revoke, signIn } from "./grants.js";
import { type Issued, log, reset, type State, serve, serverKey } from "./state.js";

const sign = ({ claims }: Issued, key: CryptoKey) => new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ: "at+jwt" }).sign(key);

/** RFC 6749 §5.1. */
async function tokens(issued: Issued, key: CryptoKey) {
  const { iat, exp } = issued.claims;
  return HttpResponse.json(
    { access_token: await sign(issued, key), token_type: "Bearer", expires_in: exp - iat, refresh_token: issued.refreshToken },
    { headers: { "cache-control": "no-store" } },
  );
}

/** Counts a fault's `times` down, and says what it is. */
function takeFault(state: State): TokenFault | null {
  const fault = state.faults.token;
  if (!fault) return null;
  log(state, `fault: ${fault.kind}`);
  if (fault.times !== undefined && --fault.times <= 0) state.faults.token = null;
  return fault;
}

const token = http.post(at("oauth/token"), async ({ request }) => {
  const form = new URLSearchParams(await request.text());
  const { fault, issued, key } = await serve((state) => {
    state.stats.attempts += 1;
    const fault = takeFault(state);
    const handled = !fault || fault.kind === "cut-answer";
    return { fault, issued: handled ? exchange(state, form.get("refresh_token") ?? "") : undefined };
  });
  switch (fault?.kind) {
    case "down":
      return HttpResponse.html("<!doctype html><title>503</title><p>The service is unavailable.</p>", { status: 503 });
    case "throttled":
      return HttpResponse.json(
        { error: "temporarily_unavailable" },
        { status: 429, headers: { "retry-after": String(fault.retryAfterSeconds ?? 2) } },
      );
    case "hang":
      return new Promise<Response>(() => {});
    case "cut-answer":
      return HttpResponse.error();
    default:
      return issued ? tokens(issued, key) : HttpResponse.json({ error: "invalid_grant" }, { status: 400 });
  }
});

const revocation = http.post(at("oauth/revoke"), async ({ request }) => {
  const presented = new URLSearchParams(await request.text()).get("token") ?? "";
  await serve((state) => {
    const grant = state.grants.find(({ current, used }) => current === presented || Object.hasOwn(used, presented));
    if (grant) revoke(state, grant);
    return {};
  });
  return new HttpResponse(null, { status: 200 });
});

const me = http.get(at("api/me"), async ({ request }) => {
  const bearer = /^Bearer (\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  const key = await serverKey();
  const jti =
    bearer &&
    (await jwtVerify(bearer, key, { typ: "at+jwt" })
      .then(({ payload }) => payload.jti)
      .catch(() => undefined));
  const { known } = await serve((state) => ({ known: check(state, jti || undefined) }));
  if (known) return HttpResponse.json(known);
  return HttpResponse.json({ error: "invalid_token" }, { status: 401, headers: { "www-authenticate": 'Bearer error="invalid_token"' } });
});

type Command = (
  state: State,
  body: Partial<State["settings"]> & { token?: TokenFault | null; api?: State["faults"]["api"]; subject?: string },
) => unknown;

const commands: Record<string, Command> = {
  state: () => {},
  faults(state, { token, api }) {
    if (token !== undefined) state.faults.token = token;
    if (api !== undefined) state.faults.api = api;
  },
  settings(state, { accessTokenSeconds, reuseGraceSeconds }) {
    if (accessTokenSeconds !== undefined && accessTokenSeconds >= 1) state.settings.accessTokenSeconds = accessTokenSeconds;
    if (reuseGraceSeconds !== undefined && reuseGraceSeconds >= 0) state.settings.reuseGraceSeconds = reuseGraceSeconds;
  },
  "expire-access-tokens"(state) {
    state.refusedUpTo = state.serial;
    log(state, "access tokens expired");
  },
  revoke(state, { subject }) {
    for (const grant of state.grants) if (subject === undefined || grant.subject === subject) revoke(state, grant);
  },
  reset,
};

const login = http.post(at("control/sign-in"), async ({ request }) => {
  const { subject } = (await request.json()) as { subject: string };
  const { issued, key } = await serve((state) => ({ issued: signIn(state, subject) }));
  return tokens(issued, key);
});

const control = http.all(at("control/:command"), async ({ request, params }) => {
  const command = commands[String(params.command)];
  if (!command) return HttpResponse.json({ error: "not_found" }, { status: 404 });
  const body = request.method === "POST" ? JSON.parse((await request.text()) || "{}") : {};
  const { stats, faults, settings } = await serve((state): ServerState => {
    command(state, body);
    return { stats: state.stats, faults: state.faults, settings: state.settings };
  });
  return HttpResponse.json({ stats, faults, settings });
});

/** The back end of the static home: strict, and the same for all tabs. */
export const handlers = [token, revocation, me, login, control];
