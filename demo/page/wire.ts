import { createLog } from "./log.js";

const methods: Record<string, string> = { "/api/me": "GET", "/oauth/token": "POST", "/oauth/revoke": "POST" };

/** What this tab sent, as the browser itself measured it: the refreshes too, and both sends of a call that was repeated. */
export function showRequests(): void {
  const log = createLog("requests");
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as PerformanceResourceTiming[]) {
      const { pathname } = new URL(entry.name);
      const method = methods[pathname];
      if (!method) continue;
      const { responseStatus: status, duration } = entry;
      const answer = status === 0 ? "no answer" : status;
      const tone = status >= 200 && status < 300 ? (pathname === "/oauth/token" ? "good" : "plain") : "bad";
      log(`${method} ${pathname} → ${answer}, ${Math.round(duration)} ms`, tone, performance.timeOrigin + entry.responseEnd);
    }
  });
  observer.observe({ type: "resource", buffered: true });
}
