import { createApi } from "./api.js";

/**
 * @import { Answer } from "../faults.js"
 * @import { Message } from "./messages.js"
 * @import { Session } from "./sessions.js"
 *
 * @typedef {object} Parts what the ways share
 * @property {import("./sessions.js").Sessions} sessions
 * @property {import("./access-tokens.js").AccessTokens} accessTokens
 * @property {import("./index.js").Lifetimes} lifetimes
 * @property {import("./database.js").Settings} settings
 * @property {() => number} now
 * @property {import("../stats.js").Stats} stats
 * @property {import("../faults.js").Faults} faults
 * @property {number} expiredStatus
 *
 * @typedef {(message: Message) => Answer | Promise<Answer>} Route throws a `Refusal`
 *
 * @typedef {object} Way
 * @property {import("./api.js").Rules} api
 * @property {(session: Session) => Promise<{ cookies?: string[] } & Record<string, unknown>>} issue what a sign-in and a refresh answer; its `cookies` are set
 * @property {(message: Message) => Session | Promise<Session>} redeem whose refresh it is; throws a `Refusal`
 * @property {(message: Message) => string | undefined | Promise<string | undefined>} sessionOf whom a sign-out is about
 * @property {string[]} [forget] the cookies that a sign-out takes back
 */

/**
 * What one way answers, by method and path.
 * @param {string} name
 * @param {Way} way
 * @param {Parts} parts
 * @returns {Record<string, Route>}
 */
export function routesOf(name, way, parts) {
  const { sessions, stats } = parts;

  async function issue(/** @type {Session} */ session) {
    const { cookies, ...body } = await way.issue(session);
    const endsIn = sessions.endsIn(session);
    const end = endsIn === Infinity ? {} : { session_expires_in: Math.floor(endsIn) };
    return { status: 200, headers: cookies ? { "Set-Cookie": cookies } : {}, body: { ...body, ...end } };
  }

  /** @type {Record<string, Route>} */
  const routes = {
    "POST /sign-in": ({ json }) => issue(sessions.signIn(name, json.user)),
    async "GET /sign-in"({ query }) {
      const { headers } = await issue(sessions.signIn(name, query.get("user")));
      // A path, and nothing that a browser would take for another site.
      const wanted = query.get("return") ?? "";
      return { status: 303, headers: { ...headers, Location: /^\/(?![/\\])/.test(wanted) ? wanted : "/" } };
    },
    async "POST /refresh"(message) {
      const session = await way.redeem(message);
      const answer = await issue(session);
      stats.refreshes += 1;
      stats.log("refreshed", session.id);
      return answer;
    },
    async "POST /sign-out"(message) {
      const session = await way.sessionOf(message);
      if (session !== undefined) sessions.end(session, "signed_out");
      return { status: 204, headers: way.forget ? { "Set-Cookie": way.forget } : {} };
    },
    ...createApi(name, way.api, parts),
  };
  return Object.fromEntries(Object.entries(routes).map(([route, run]) => [route.replace(" /", ` /${name}/`), run]));
}
