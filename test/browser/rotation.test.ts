import { expect, it } from "vitest";
import { all, expectApiFine, expectOneToken, seconds, useBrowser } from "./harness/scenario.js";

const browser = useBrowser();

it("R1 R9 eight tabs on three-second tokens for a minute: one refresh for each rotation, none reused, no call of the API fails", async () => {
  const site = await browser.site({ accessTokenSeconds: 3, pollEvery: 300 });
  const { stats } = site.server;
  const tabs = await site.openSignedIn(8);

  await seconds(60);

  const { attempts, refreshes, reused, revoked, apiOk, apiUnauthorized } = stats;
  console.log(`rotation: ${JSON.stringify({ tabs: 8, attempts, refreshes, reused, revoked, apiOk, apiUnauthorized })}`);
  expect({ reused, revoked }).toEqual({ reused: 0, revoked: 0 });
  // One may be between the tab and the server, or between the server and the ledger, at this very moment.
  await expect.poll(() => stats.attempts - stats.refreshes).toBe(0);
  const commits = () => tabs[0]!.run(() => app.ledgerVersion());
  await expect.poll(async () => ((await commits()) ?? 0) - stats.refreshes, { message: "commits but for refreshes" }).toBe(1); // the sign-in
  await expectOneToken(tabs);
  await expectApiFine(tabs);
  expect(refreshes).toBeGreaterThanOrEqual(19);
  expect(await all(tabs, () => app.heard.filter((event) => !event.startsWith("refreshed")))).toEqual(Array(8).fill(["signed-in"]));
}, 120_000);

it("R2 R9 six tabs that are told to refresh at the same moment, thirty times: they take turns or adopt, and send no token twice", async () => {
  const site = await browser.site({ accessTokenSeconds: 60 });
  const { stats } = site.server;
  const tabs = await site.openSignedIn(6);
  const outcomes: string[] = [];
  for (let round = 1; round <= 30; round++) {
    outcomes.push(...(await all(tabs, () => app.session.refresh())));
    await expectOneToken(tabs);
  }
  const count = (wanted: string) => outcomes.filter((outcome) => outcome === wanted).length;
  console.log(`rounds: ${JSON.stringify({ refreshed: count("refreshed"), adopted: count("adopted"), attempts: stats.attempts })}`);
  expect(count("adopted")).toBeGreaterThan(0);
  expect(stats).toMatchObject({ attempts: stats.refreshes, reused: 0, revoked: 0 });
}, 60_000);
