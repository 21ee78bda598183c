import { element, setText } from "../dom.js";
import { type ServerState, server } from "../server.js";
import { createList } from "./list.js";

const EVERY = 1000;
let last: ServerState | undefined;
const listeners = new Set<(state: ServerState) => void>();

export const lastTruth = (): ServerState | undefined => last;

export function onTruth(listener: (state: ServerState) => void): void {
  listeners.add(listener);
}

/** Asks the server for its counts, and tells the listeners. */
export async function lookAtServer(): Promise<ServerState> {
  last = await server.state();
  for (const listener of listeners) listener(last);
  return last;
}

const kinds: Record<string, string> = {
  "used refresh token presented again": "a used refresh token came again: the session ends",
  revoked: "session revoked",
  refreshed: "refreshed",
  "signed in": "signed in",
  "api: 401": "the API refused a token",
};

/** Shows the server's counts while the page is visible. */
export function showTruth(): void {
  const list = createList("server-events");
  let seen = 0;
  onTruth(({ stats }) => {
    for (const id of ["refreshes", "reused", "revoked"] as const) setText(element(id), String(stats[id]));
    element("reused").dataset.tone = stats.reused > 0 ? "bad" : "good";
    element("revoked").dataset.tone = stats.revoked > 0 ? "bad" : "good";
    // The events are in their order, the newest last.
    for (const event of stats.events.filter(({ at }) => at > seen)) {
      const session = event.session === undefined ? "" : `Session ${event.session}: `;
      list(`${session}${kinds[event.kind] ?? event.kind}`, /again|fault|refused|401/.test(event.kind) ? "bad" : "plain", event.at);
    }
    seen = Math.max(seen, stats.events.at(-1)?.at ?? 0);
  });
  const look = async () => {
    if (document.hidden) return;
    await lookAtServer().then(
      () => {
        element("server-gone").hidden = true;
      },
      () => {
        element("server-gone").hidden = false;
      },
    );
  };
  void look();
  setInterval(look, EVERY);
  document.addEventListener("visibilitychange", look);
}
