import { addressOf, allowEveryOrigin, answerPreflight, readBody, sendJson } from "./http.js";

/**
 * @import { IncomingMessage, ServerResponse } from "node:http"
 *
 * @typedef {object} Wanted what a page or a test sends; each command reads its part
 * @property {import("./faults.js").TokenFault | null} [token]
 * @property {import("./faults.js").ApiFault | null} [api]
 * @property {string} [subject]
 * @property {string} [jkt] the thumbprint of the key to which tokens are to be bound
 * @property {number} [accessTokenSeconds]
 * @property {number} [reuseGraceSeconds]
 *
 * @typedef {(wanted: Wanted) => unknown} Command when it returns tokens, they are the answer
 */

/**
 * What the demo page and the tests use to look at a server and to break it. Returns whether the path was its own.
 * @param {object} parts
 * @param {import("./stats.js").Stats} parts.stats
 * @param {import("./faults.js").Faults} parts.faults
 * @param {object} parts.settings
 * @param {{ expireAccessTokens: () => void, revokeAll: (subject?: string) => number }} parts.actions
 * @param {Record<string, Command>} [parts.commands] further ones, by path
 */
export function createControl({ stats, faults, settings, actions, commands: further = {} }) {
  const state = () => {
    const { log: _log, reset: _reset, ...counts } = stats;
    return { stats: { ...counts, events: counts.events.slice(-50) }, faults, settings };
  };
  /** @type {Record<string, Command>} */
  const commands = {
    "/control/faults": ({ token, api }) => {
      if (token !== undefined) faults.token = token;
      if (api !== undefined) faults.api = api;
    },
    "/control/expire-access-tokens": () => actions.expireAccessTokens(),
    "/control/revoke": ({ subject }) => actions.revokeAll(subject),
    "/control/reset": () => stats.reset(),
    ...further,
  };

  return async function control(/** @type {IncomingMessage} */ request, /** @type {ServerResponse} */ response) {
    const { pathname } = addressOf(request);
    if (!pathname.startsWith("/control/")) return false;
    allowEveryOrigin(request, response);
    if (answerPreflight(request, response)) return true;
    const body = await readBody(request);
    const command = request.method === "POST" && Object.hasOwn(commands, pathname) ? commands[pathname] : undefined;
    if (command) {
      try {
        const answer = await command(body.length > 0 ? JSON.parse(body.toString()) : {});
        sendJson(response, 200, answer && typeof answer === "object" && "access_token" in answer ? answer : state());
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        sendJson(response, 400, { error: "not_json" });
      }
    } else if (request.method === "GET" && pathname === "/control/state") sendJson(response, 200, state());
    else sendJson(response, 404, { error: "not_found" });
    return true;
  };
}
