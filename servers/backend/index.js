import { createControl } from "../control.js";
import { meetFault, takeFault } from "../faults.js";
import { addressOf, allowOrigins, answerPreflight, listen, notFound, serve } from "../http.js";
import { createStats } from "../stats.js";
import { AccessTokens } from "./access-tokens.js";
import { createSettings, openDatabase } from "./database.js";
import { readMessage, sendAnswer } from "./messages.js";
import { Refusal } from "./refusal.js";
import { routesOf } from "./routes.js";
import { Sessions } from "./sessions.js";
import { accessCookie } from "./ways/access-cookie.js";
import { cookie } from "./ways/cookie.js";
import { pair } from "./ways/pair.js";
import { sliding } from "./ways/sliding.js";
import { softexp } from "./ways/softexp.js";
import { twoJwt } from "./ways/two-jwt.js";

const ways = { pair, "two-jwt": twoJwt, cookie, sliding, softexp, "access-cookie": accessCookie };

/**
 * @import { IncomingMessage, ServerResponse } from "node:http"
 * @import { Answer, Faults } from "../faults.js"
 * @import { Route } from "./routes.js"
 *
 * @typedef {keyof typeof ways} WayName
 *
 * @typedef {object} Lifetimes in seconds; may be changed at any time, for what is issued from then on
 * @property {number | undefined} accessTokenSeconds default: five minutes; of `cookie` one minute, of `sliding` a week; of `softexp` until `softexp`
 * @property {number} refreshTokenSeconds default: a week, counted anew at each rotation
 * @property {number | undefined} sessionSeconds after which the user must sign in again, however often it was renewed; default: never
 *
 * @typedef {object} Shared with another server at the same address
 * @property {import("../stats.js").Stats} stats to count together
 * @property {Faults} faults to break together
 *
 * @typedef {object} OwnOptions
 * @property {string} [file] the database; default: in memory. Sessions and keys in a file survive a restart.
 * @property {Partial<Lifetimes>} [lifetimes]
 * @property {readonly string[]} [allowedOrigins] whose pages may call it with cookies; of the same origin it may be called anyway
 * @property {401 | 403 | 419} [expiredStatus] what the API answers when a token has expired; default 401
 * @property {() => number} [now] epoch milliseconds; default: the time
 *
 * @typedef {OwnOptions & Partial<Shared>} BackendOptions
 *
 * @typedef {object} Backend
 * @property {(request: IncomingMessage, response: ServerResponse) => Promise<boolean>} handle
 *   whether the path was one of its own: `/<way>/…` and `/control/…`
 * @property {import("../stats.js").Stats} stats
 * @property {Faults} faults to be changed at will
 * @property {Lifetimes} lifetimes to be changed at will
 * @property {() => void} expireAccessTokens the API refuses all access tokens issued before now
 * @property {(subject?: string) => number} revokeAll as an administrator would; returns how many sessions ended
 * @property {(subject: string, permissions: string[]) => void} setPermissions in the next token of this user
 * @property {(subject: string) => void} requireReauth every session of this user is told to sign in again
 * @property {() => void} closeDatabase
 */

/**
 * The ways of renewing that no package offers, each below a path of its own, on one database.
 *
 * `POST /<way>/sign-in` with `{ user }` begins a session, `POST /<way>/refresh` renews it, `POST /<way>/sign-out` ends it, and
 * `/<way>/api/me` and `/<way>/api/echo` want its token. `GET /<way>/sign-in?user=…&return=/…` is a login by redirect, for the ways with a cookie.
 * @param {BackendOptions} [options]
 * @returns {Backend}
 */
export function createBackend({ file = ":memory:", allowedOrigins = [], expiredStatus = 401, now = Date.now, ...options } = {}) {
  const { stats = createStats() } = options;
  /** @type {Lifetimes} */
  const lifetimes = {
    accessTokenSeconds: undefined,
    refreshTokenSeconds: 7 * 24 * 60 * 60,
    sessionSeconds: undefined,
    ...options.lifetimes,
  };
  /** @type {Faults} */
  const faults = options.faults ?? { token: null, api: null };
  const database = openDatabase(file);
  const settings = createSettings(database);
  const sessions = new Sessions({ database, lifetimes, now, stats });
  const accessTokens = new AccessTokens({ settings, now });
  const parts = { sessions, accessTokens, lifetimes, settings, now, stats, faults, expiredStatus };
  /** @type {Record<string, Route>} */
  const routes = Object.assign({}, ...Object.entries(ways).map(([name, way]) => routesOf(name, way(parts), parts)));

  const expireAccessTokens = () => {
    accessTokens.expire();
    stats.log("access tokens expired");
  };
  const revokeAll = (/** @type {string | undefined} */ subject) => sessions.revokeAll(subject);

  const control = createControl({
    stats,
    faults,
    settings: lifetimes,
    actions: { expireAccessTokens, revokeAll },
    commands: { "/control/settings": (wanted) => Object.assign(lifetimes, wanted) },
  });

  async function handle(/** @type {IncomingMessage} */ request, /** @type {ServerResponse} */ response) {
    const { pathname } = addressOf(request);
    const [, way = "", ...rest] = pathname.split("/");
    if (!Object.hasOwn(ways, way)) return control(request, response);
    allowOrigins(request, response, allowedOrigins, "WWW-Authenticate, Retry-After, X-Renewed-Token, X-Token-Error");
    if (answerPreflight(request, response)) return true;
    const route = routes[`${request.method} ${pathname}`];
    const message = await readMessage(request);
    const answer = async () => (route ? orRefuse(() => route(message)) : { status: 404, body: { error: "not_found" } });
    const refreshes = rest.join("/") === "refresh";
    if (refreshes) stats.attempts += 1;
    const fault = refreshes ? takeFault(faults, "token") : null;
    const outcome = fault ? await meetFault(fault, { request, response, handle: answer }, stats.log) : await answer();
    if (outcome) sendAnswer(response, outcome);
    return true;
  }

  return {
    handle,
    stats,
    faults,
    lifetimes,
    expireAccessTokens,
    revokeAll,
    setPermissions: (subject, permissions) => sessions.setPermissions(subject, permissions),
    requireReauth: (subject) => sessions.requireReauth(subject),
    closeDatabase: () => database.close(),
  };
}

/** @returns {Promise<Answer>} */
async function orRefuse(/** @type {() => Answer | Promise<Answer>} */ run) {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { status: error.status, body: { error: error.code } };
  }
}

/**
 * The back end alone, on a port of its own.
 * @param {BackendOptions & import("../http.js").Address} [options]
 */
export async function startBackend(options = {}) {
  const { http, port, url, close } = await listen(options);
  const backend = createBackend({ ...options, allowedOrigins: [url, ...(options.allowedOrigins ?? [])] });
  serve(http, [backend.handle, notFound]);
  return {
    ...backend,
    url,
    port,
    http,
    async close() {
      await close();
      backend.closeDatabase();
    },
  };
}
