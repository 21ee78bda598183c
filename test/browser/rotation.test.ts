import { expect, it } from "vitest";
import { all, expectApiFine, expectOneToken, seconds, useBrowser } from "./harness/scenario.js";

const browser = useBrowser();

it("R1 R9 eight tabs on three-second tokens for a minute: one refresh for each rotation, none reused, no call of the API fails", async () => {
  const site = await browser.site({ accessTokenSeconds: 3, pollEvery: 300 });
  const { stats } = site.server;
  const tabs = await site.openSignedIn(8);
  const before = (await tabs[0]!.run(() => app.ledgerVersion())) ?? 0;
  const refreshedBefore = stats.refreshes;

  await seconds(60);

  const commits = async () => ((await tabs[0]!.run(() => app.ledgerVersion())) ?? 0) - before;
  // A refresh may be between the server and the ledger at this very moment.
  await expect.poll(async () => (await commits()) - (stats.refreshes - refreshedBefore)).toBe(0);
  await expectOneToken(tabs);
  await expectApiFine(tabs);
  const { attempts, refreshes, reused, revoked, apiOk, apiUnauthorized } = stats;
  console.log(`rotation: ${JSON.stringify({ tabs: 8, attempts, refreshes, reused, revoked, apiOk, apiUnauthorized })}`);
  expect({ reused, revoked, unanswered: attempts - refreshes }).toEqual({ reused: 0, revoked: 0, unanswered: 0 });
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
