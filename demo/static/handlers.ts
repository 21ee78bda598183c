import { HttpResponse, http } from "msw";
import { at } from "../page/place.js";
import type { ServerState, TokenFault } from "../page/server.js";
import { revoke } from "./grants.js";
import { oauthHandlers } from "./oauth.js";
import { ownHandlers } from "./own-ways.js";
import { log, reset, type State, serve } from "./state.js";

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

/** The back end of the static home. It is strict, and all tabs share its state. */
export const handlers = [...oauthHandlers, ...ownHandlers, control];
