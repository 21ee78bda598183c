import { allowEveryOrigin, answerPreflight, readBody, sendJson } from "./http.js";

/** What the demo page uses to look at the server and to break it. Returns whether the path was its own. */
export function createControl({ stats, faults, settings, actions }) {
  const state = () => {
    const { log: _log, reset: _reset, ...counts } = stats;
    return { stats: { ...counts, events: counts.events.slice(-50) }, faults, settings };
  };
  const commands = {
    "/control/faults": ({ token, api }) => {
      if (token !== undefined) faults.token = token;
      if (api !== undefined) faults.api = api;
    },
    "/control/settings": ({ accessTokenSeconds, reuseGraceSeconds }) => {
      if (accessTokenSeconds >= 1) settings.accessTokenSeconds = accessTokenSeconds;
      if (reuseGraceSeconds >= 0) settings.reuseGraceSeconds = reuseGraceSeconds;
    },
    // What a login ends with, without the way there.
    "/control/sign-in": ({ subject }) => actions.issueTokens({ subject }),
    "/control/expire-access-tokens": () => actions.expireAccessTokens(),
    "/control/revoke": ({ subject }) => actions.revokeAll(subject),
    "/control/reset": () => stats.reset(),
  };

  return async function control(request, response) {
    const { pathname } = new URL(request.url, "http://control");
    if (!pathname.startsWith("/control/")) return false;
    allowEveryOrigin(request, response);
    if (answerPreflight(request, response)) return true;
    const body = await readBody(request);
    const command = request.method === "POST" && Object.hasOwn(commands, pathname) ? commands[pathname] : undefined;
    if (command) {
      try {
        const answer = await command(body.length > 0 ? JSON.parse(body.toString()) : {});
        sendJson(response, 200, answer?.access_token ? answer : state());
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        sendJson(response, 400, { error: "not_json" });
      }
    } else if (request.method === "GET" && pathname === "/control/state") sendJson(response, 200, state());
    else sendJson(response, 404, { error: "not_found" });
    return true;
  };
}
