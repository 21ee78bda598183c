import { inSeconds } from "../dom.js";
import { type Call, onCall } from "../session/calls.js";
import { wire } from "../session/wire.js";
import { createList } from "./list.js";

/** A call that took so many milliseconds before it was sent has waited for a token. */
const WAITED = 25;

/** Shows the requests of this tab: calls of the API with their answers, and refreshes. */
export function showRequests(): void {
  const list = createList("requests");
  const lines = new Map<string, ReturnType<typeof list>>();
  onCall((call) => {
    const line = lines.get(call.id) ?? list("");
    lines.set(call.id, line);
    line.set(`GET ${call.path} → ${statusesOf(call)}`, toneOf(call), ...chipsOf(call));
    if (call.over) lines.delete(call.id);
  });
  const refreshes = new Map<object, ReturnType<typeof list>>();
  wire.watch((send, status) => {
    if (send.call !== null) return;
    const line = refreshes.get(send) ?? list("");
    refreshes.set(send, line);
    const answer = status === undefined ? "…" : status === 0 ? "no answer" : `${status}, ${inSeconds(Date.now() - send.at)}`;
    line.set(
      `${send.method} ${send.path} → ${answer}`,
      status === undefined || (status >= 200 && status < 300) ? "good" : "bad",
      "for all tabs",
    );
    if (status !== undefined) refreshes.delete(send);
  });
}

function statusesOf({ statuses, over }: Call): string {
  const shown = statuses.map((status) => (status === 0 ? "no answer" : String(status)));
  return over ? shown.join(", then ") || "no answer" : [...shown, "…"].join(", then ");
}

function toneOf({ statuses, over }: Call): "plain" | "bad" {
  const last = statuses.at(-1) ?? 0;
  return over && !(last >= 200 && last < 300) ? "bad" : "plain";
}

function chipsOf({ waited, statuses, adopted, over }: Call): string[] {
  return [
    ...(waited === null ? (over ? [] : ["waits for a token"]) : waited > WAITED ? [`waited ${inSeconds(waited)}`] : []),
    ...(statuses.length > 1 ? ["resent"] : []),
    ...(adopted && (statuses.length > 1 || (waited ?? 0) > WAITED) ? ["adopted"] : []),
  ];
}
