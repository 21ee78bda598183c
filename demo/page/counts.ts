import { element, setText } from "./dom.js";
import { type FaultKind, faultExplanations, type ServerState, server } from "./server.js";
import { countTabs } from "./tabs.js";

const EVERY = 1000;

/** Shows what the server counted, as long as somebody looks. */
export function showCounts(): void {
  const look = async () => {
    if (document.hidden) return;
    setText(element("tabs-open"), String(await countTabs()));
    try {
      drawCounts(await server.state());
      element("server-gone").hidden = true;
    } catch {
      element("server-gone").hidden = false;
    }
  };
  void look();
  setInterval(look, EVERY);
  document.addEventListener("visibilitychange", look);
}

export function drawCounts({ stats, faults }: ServerState): void {
  setText(element("refreshes"), String(stats.refreshes));
  setText(element("attempts"), String(stats.attempts));
  setText(element("reused"), String(stats.reused));
  element("reused").dataset.tone = stats.reused > 0 ? "bad" : "good";
  setText(element("api-ok"), String(stats.apiOk));
  setText(element("api-unauthorized"), String(stats.apiUnauthorized));
  const fault = faults.token?.kind ?? "none";
  // Another tab may have chosen it.
  for (const radio of document.querySelectorAll<HTMLInputElement>("[name=fault]")) radio.checked = radio.value === fault;
  setText(element("fault-explanation"), faultExplanations[fault as FaultKind | "none"] ?? "");
}
