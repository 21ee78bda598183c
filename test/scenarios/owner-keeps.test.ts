import { expect, it } from "vitest";
import { idleLimit } from "../../src/index.js";
import { HOUR, MINUTE, SECOND, scene } from "../support/scene.js";

it("R26 a tab without the refresh token does not store its own tokens over the record of the tab that has it", async () => {
  const stage = scene({ shares: true, session: { idle: idleLimit({ after: 12 * HOUR }) } });
  const app = await stage.signedIn();
  const other = await stage.open();
  stage.server.latency = { before: () => 100, after: () => 100 };
  const refreshed = app.session.refresh();
  await stage.clock.advance(100);
  // The disk is full for the moment in which the answer is stored: without its tokens, the record fits.
  stage.world.stores.trouble = (tab) => (tab === app.tab && app.tab.reports.length === 0 ? "full" : "none");
  expect(await stage.outcome(refreshed)).toBe("refreshed");
  await stage.clock.advance(SECOND);
  expect([stage.serial(app), stage.serial(other)]).toEqual([2, 2]);
  stage.world.stores.trouble = () => "none";
  await stage.clock.advance(2 * MINUTE);
  (other.tab as unknown as { activity(): void }).activity();
  await stage.clock.advance(2 * MINUTE);
  app.tab.show();
  await stage.clock.advance(2 * SECOND);
  const outcome = await stage.outcome(app.session.refresh());
  await stage.clock.sleep(3 * HOUR);
  const call = await stage.outcome(app.session.getToken());
  expect([outcome, app.status(), other.status(), typeof call, stage.server.stats.reused]).toEqual([
    "refreshed",
    "signed-in",
    "signed-in",
    "string",
    0,
  ]);
});
