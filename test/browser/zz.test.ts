import { expect, it } from "vitest";
import { holderOf, useBrowser } from "./harness/scenario.js";
const browser = useBrowser();
function block(ms: number): void { for (const end = performance.now() + ms; performance.now() < end; ); }
it.each([[{ refreshTimeout: 3000, takeoverAfter: 6000, lead: 1500 }, 6]])("%j", async (session, accessTokenSeconds) => {
  const site = await browser.site({ accessTokenSeconds, pollEvery: 300, session });
  const { stats, faults } = site.server;
  const tabs = await site.openSignedIn(3);
  faults.token = { kind: "hang", times: 1 };
  const { holder } = await holderOf(site, tabs);
  const t0 = Date.now();
  void holder.run(block, 60_000).catch(() => {});
  await expect.poll(() => stats.refreshes, { timeout: 59_000 }).toBeGreaterThanOrEqual(1);
  console.log(JSON.stringify(session), "taken over after", Date.now() - t0);
}, 100_000);
