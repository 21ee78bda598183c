import { describe, expect, it } from "vitest";
import { cookie } from "../../src/index.js";
import { hangs } from "../../src/testing/faults.js";
import { json } from "../../src/testing/reply.js";
import { API } from "../../src/testing/token-server.js";
import { waiting } from "../support/late-answer.js";
import { HOUR, MINUTE, type SceneOptions, SECOND, scene } from "../support/scene.js";

const shares = { shares: true };

describe("R84 a session that is disposed of before the deadline, whose answer comes after it", () => {
  it.each([
    [3, 15],
    [9, 15],
    [9.9, 11],
  ])("after %d s, the answer after %d s: another tab does not present the token again", async (second, after) => {
    const { stage, holder, other, at } = await waiting(second, { answerAfter: after, options: shares });
    holder.bare.dispose();
    await at(45);
    expect([other.status(), stage.server.stats.reused]).toEqual(["signed-in", 0]);
  });

  it("neither does the next session object of the same page (hot reload, a component that makes its session anew)", async () => {
    const { stage, holder, at } = await waiting(5, { answerAfter: 18, options: shares, count: 1 });
    holder.bare.dispose();
    const next = await stage.open({}, { tab: holder.tab });
    next.session.getToken().catch(() => {});
    await at(60);
    expect([next.status(), stage.server.stats.reused]).toEqual(["signed-in", 0]);
  });

  it("without Web Locks, too", async () => {
    const { stage, holder, other, at } = await waiting(5, { options: shares, lacks: { locks: true } });
    holder.bare.dispose();
    for (let second = 6; second < 60; second++) {
      other.session.getToken().catch(() => {});
      await at(second);
    }
    expect([other.status(), stage.server.stats.reused]).toEqual(["signed-in", 0]);
  });
});

it.each([
  [10, 11],
  [10, 15],
  [5, 11],
  [2, 12],
])("R84 a grace period of %d s, of which the session is told; the answer comes after %d s", async (grace, after) => {
  const { stage, apps, at } = await waiting(1, {
    answerAfter: after,
    options: { ...shares, server: { grace: grace * SECOND }, session: { reuseGrace: grace * SECOND } },
  });
  await at(45);
  expect([apps.map((app) => app.status()), stage.server.stats.reused]).toEqual([["signed-in", "signed-in"], 0]);
});

it("R84 the same where the session is not told of it", async () => {
  const { stage, apps, at } = await waiting(1, { answerAfter: 11, options: { ...shares, server: { grace: 10 * SECOND } } });
  await at(45);
  expect([apps.map((app) => app.status()), stage.server.stats.reused]).toEqual([["signed-in", "signed-in"], 0]);
});

/** The only tab closes while its answer is late. */
async function closedLate(options: SceneOptions = {}) {
  const stage = scene(options);
  const app = await stage.signedIn();
  await stage.clock.sleep(2 * HOUR);
  stage.server.faults.push(hangs);
  app.session.getToken().catch(() => {});
  await stage.clock.advance(12 * SECOND);
  app.tab.close();
  return stage;
}

describe("R84 a prolonged lease whose holder is gone", () => {
  it("the next day, the app has a token as soon as without R84 (10 s)", async () => {
    const stage = await closedLate();
    await stage.clock.sleep(12 * HOUR);
    const next = await stage.open();
    const start = stage.clock.monotonic();
    while (stage.serial(next) !== 2 && stage.clock.monotonic() - start < 5 * MINUTE) {
      next.session.getToken().catch(() => {});
      await stage.clock.advance(500);
    }
    expect(stage.clock.monotonic() - start).toBeLessThan(12_000);
  });

  it("a user who reloads every 15 s gets a token at some time", async () => {
    const stage = await closedLate();
    for (let reloads = 0; reloads < 20 && stage.server.stats.attempts < 2; reloads++) {
      const app = await stage.open();
      for (let second = 0; second < 15; second++) {
        app.session.getToken().catch(() => {});
        await stage.clock.advance(SECOND);
      }
      app.tab.close();
    }
    expect(stage.server.stats.attempts).toBe(2);
  });
});

it("R84 a sign-in by a cookie while an answer is late is carried out", async () => {
  const stage = scene();
  let renewals = 0;
  stage.server.apiAnswer = ({ url }) => {
    if (!url.endsWith("/renew")) return undefined;
    renewals++;
    return renewals === 2 ? "silence" : json(200, { accessToken: stage.server.signIn(renewals > 2 ? "bob" : "ada").access_token });
  };
  const app = await stage.open({ refresh: cookie({ url: `${API}/renew` }) });
  await stage.clock.until(app.session.signIn());
  await stage.clock.sleep(2 * HOUR);
  app.session.getToken().catch(() => {});
  await stage.clock.advance(12 * SECOND);
  // The login page has set bob's cookie.
  expect(await stage.outcome(app.session.signIn(), 60_000)).toBe(undefined);
  expect(app.bare.getSnapshot().claims?.sub).toBe("bob");
});
