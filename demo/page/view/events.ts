import { type Entry, type Lane, titleOf } from "../tabs/lane.js";
import { lanes } from "../tabs/lanes.js";
import { createList, type Tone } from "./list.js";

/** Shows the entries of all tabs in words. */
export function showEvents(): void {
  const list = createList("events");
  lanes.onChange((entry, lane) => {
    const words = entry && lane ? describe(entry, lane) : undefined;
    if (words) list(words[0], words[1], entry?.at);
  });
}

function describe(entry: Entry, lane: Lane): [string, Tone] | undefined {
  const tab = titleOf(lane);
  switch (entry.kind) {
    case "token":
      if (entry.how === "signed in") return [`${tab} is signed in as ${entry.name}, with token ${entry.number}`, "plain"];
      return entry.how === "asked"
        ? [`${tab} asked, and got token ${entry.number}`, "good"]
        : [`${tab} adopted token ${entry.number}`, "plain"];
    case "failed": {
      const status = entry.status === null ? "" : ` ${entry.status}`;
      const next = entry.retryAt === null ? "" : `, next attempt in ${Math.max(0, (entry.retryAt - entry.at) / 1000).toFixed(1)}\u00a0s`;
      return [`${tab}: refresh failed (${entry.code}${status})${next}`, "bad"];
    }
    case "user":
      return [`${tab}: another user, ${entry.before} → ${entry.after}`, "good"];
    case "signed out":
      return [
        `${tab} is signed out (${entry.reason}${entry.lost ? ", possibly a lost rotation" : ""})`,
        entry.reason === "user" ? "plain" : "bad",
      ];
    case "away":
      return [`${tab} was ${entry.why} for ${((entry.at - entry.from) / 1000).toFixed(1)}\u00a0s`, "bad"];
    case "call":
      if (entry.resent) return [`${tab}: 401, refreshed, sent again: ${entry.status}`, entry.status < 300 ? "good" : "bad"];
      return undefined;
    case "note":
      return [`${tab}: ${entry.text}`, "plain"];
    default:
      return undefined;
  }
}
