import { createApi } from "./api.js";

/**
 * @typedef {object} Way
 * @property {import("./api.js").Rules} api
 * @property {(session: import("./sessions.js").Session) => Promise<object>} issue what a sign-in and a refresh answer; its `cookies` are set
 * @property {(message: import("./messages.js").Message) => import("./sessions.js").Session | Promise<import("./sessions.js").Session>} redeem
 *   whose refresh it is; throws a `Refusal`
 * @property {(message: import("./messages.js").Message) => string | undefined | Promise<string | undefined>} sessionOf whom a sign-out is about
 * @property {string[]} [forget] the cookies that a sign-out takes back
 */

/** What one way answers, by method and path. */
export function routesOf(name, /** @type {Way} */ way, parts) {
  const { sessions, stats } = parts;

  async function issue(session) {
    const { cookies, ...body } = await way.issue(session);
    const endsIn = sessions.endsIn(session);
    const end = endsIn === Infinity ? {} : { session_expires_in: Math.floor(endsIn) };
    return { status: 200, headers: cookies ? { "Set-Cookie": cookies } : {}, body: { ...body, ...end } };
  }

  const routes = {
    "POST /sign-in": ({ json }) => issue(sessions.signIn(name, json.user)),
    async "GET /sign-in"({ query }) {
      const { headers } = await issue(sessions.signIn(name, query.get("user")));
      // A path, and nothing that a browser would take for another site.
      const back = /^\/(?![/\\])/.test(query.get("return") ?? "") ? query.get("return") : "/";
      return { status: 303, headers: { ...headers, Location: back } };
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
