import { describe, expect, it } from "vitest";
import { cookie } from "../../src/index.js";
import { down, hangs } from "../../src/testing/faults.js";
import { json } from "../../src/testing/reply.js";
import { API } from "../../src/testing/token-server.js";
import type { Lacks } from "../../src/testing/world.js";
import type { SessionOptions } from "../../src/types/index.js";
import type { App } from "../support/app.js";
import { HOUR, MINUTE, type Scene, SECOND, scene } from "../support/scene.js";
import { tabs } from "../support/tabs.js";

/** A tab that the browser prerenders. */
async function prerendered(stage: Scene, options: Partial<SessionOptions> = {}, lacks: Lacks = {}): Promise<App> {
  const tab = stage.world.tab(undefined, lacks);
  tab.prerendering = true;
  tab.hidden = true;
  return stage.open(options, { tab });
}

/** The only tab is a prerendered one, and its token has expired. */
async function expired(options: Partial<SessionOptions> = {}, lacks: Lacks = {}) {
  const stage = scene();
  const before = await stage.signedIn();
  before.tab.close();
  await stage.clock.sleep(2 * HOUR);
  const app = await prerendered(stage, options, lacks);
  return { stage, app };
}

describe("a prerendered page", () => {
  it("R57 renews nothing and asks for no lock; on activation, one refresh serves all who wait", async () => {
    const { stage, app } = await expired();
    const waiting = [app.session.getToken(), app.session.refresh(), app.session.fetch(`${API}/me`), app.session.getToken()];
    await stage.clock.advance(10 * MINUTE);
    expect([stage.server.stats.attempts, stage.world.locks.grants.length, app.tab.reports]).toEqual([0, 0, []]);
    expect(stage.world.locks.names()).toEqual([]);
    app.tab.activate();
    const [token, outcome, answer] = await stage.clock.until(Promise.all(waiting), SECOND);
    expect([stage.server.grants.serialOf(token as string), outcome, (answer as Response).status]).toEqual([2, "refreshed", 200]);
    expect(stage.server.stats.attempts).toBe(1);
  });

  it("R57 P5 counts no limit before the activation, and each whole limit after it", async () => {
    const { stage, app } = await expired({}, { locks: "never" });
    const settled: string[] = [];
    app.session.getToken().catch(({ code }) => settled.push(code));
    app.session.fetch(`${API}/me`).then(({ status }) => settled.push(`${status}`));
    await stage.clock.advance(10 * MINUTE);
    expect(settled).toEqual([]);
    app.tab.activate();
    await stage.clock.advance(12 * SECOND);
    expect(settled).toEqual([]);
    await stage.clock.advance(12 * SECOND);
    expect(settled).toEqual(["busy"]);
    await stage.clock.advance(1.1 * SECOND);
    expect(settled).toEqual(["busy", "401"]);
  });

  it("R57 is restored, and sends a token that is valid", async () => {
    const stage = scene();
    await stage.signedIn();
    const app = await prerendered(stage);
    expect([app.status(), await stage.call(app), stage.serial(app)]).toEqual(["signed-in", 200, 1]);
  });

  it("R57 gets the token of another tab at once", async () => {
    const stage = scene();
    const other = await stage.signedIn();
    other.tab.freeze();
    await stage.clock.sleep(2 * HOUR);
    const app = await prerendered(stage);
    const waiting = Promise.all([app.session.getToken(), app.session.fetch(`${API}/me`)]);
    await stage.clock.advance(MINUTE);
    other.tab.thaw();
    const [token, { status }] = await stage.clock.until(waiting, SECOND);
    expect([stage.server.grants.serialOf(token), status, stage.server.stats.attempts]).toEqual([2, 200, 1]);
    app.tab.activate();
    await stage.clock.advance(SECOND);
    expect(stage.server.stats.attempts).toBe(1);
  });

  it("R57 is no user's any more when another tab signs out", async () => {
    const stage = scene();
    const other = await stage.signedIn();
    stage.world.network.offline = true;
    await stage.clock.sleep(2 * HOUR);
    const app = await prerendered(stage);
    const waiting = app.session.getToken();
    await stage.clock.advance(MINUTE);
    await stage.clock.until(other.session.signOut());
    expect(await stage.clock.until(waiting, SECOND)).toBeNull();
    stage.world.network.offline = false;
    app.tab.activate();
    expect(await stage.call(app)).toBe(401);
  });

  it("R57 R55 reads on activation what it did not hear of, before it sends anything", async () => {
    const stage = scene();
    const other = await stage.signedIn();
    const app = await prerendered(stage, {}, { channel: true });
    expect(stage.serial(app)).toBe(1);
    await stage.clock.until(other.session.signOut());
    app.tab.activate();
    expect(app.session.peekToken()).toBeNull();
    expect(await stage.call(app)).toBe(401);
    expect(stage.server.apiCalls.map(({ bearer }) => bearer)).toEqual(["none"]);
  });

  it("R57 R35 that is disposed of settles every wait, and leaves nothing behind", async () => {
    const { stage, app } = await expired();
    const waiting = [app.session.getToken(), app.session.refresh(), app.session.fetch(`${API}/me`)];
    const outcomes = Promise.all(waiting.map((promise) => promise.catch(({ code }) => code)));
    await stage.clock.advance(MINUTE);
    app.session.dispose();
    expect((await stage.clock.until(outcomes, 100)).slice(0, 2)).toEqual(["disposed", "disposed"]);
    await stage.clock.advance(5);
    expect(stage.world.leftovers(app.tab)).toEqual({ timers: 0, listeners: 0, channels: 0, connections: 0, locks: 0 });
    app.tab.activate();
    await stage.clock.advance(MINUTE);
    expect(stage.server.stats.attempts).toBe(0);
  });

  it("R57 R35 that is disposed of ends a sign-in by a cookie, too", async () => {
    const stage = scene();
    const app = await prerendered(stage, { refresh: cookie({ url: `${API}/renew` }) });
    const signingIn = app.session.signIn();
    await stage.clock.advance(MINUTE);
    app.session.dispose();
    expect(await stage.outcome(signingIn, 10)).toBe("disposed");
  });

  it("R57 that is thrown away keeps no other tab waiting", async () => {
    const { stage, app } = await expired();
    app.session.getToken().catch(() => {});
    await stage.clock.advance(MINUTE);
    app.tab.crash();
    const next = await stage.open();
    const since = stage.clock.monotonic();
    await stage.clock.until(next.session.getToken());
    expect(stage.clock.monotonic() - since).toBeLessThan(SECOND);
    expect(stage.server.stats).toMatchObject({ attempts: 1, reused: 0 });
  });

  it("R57 steals no lock from a tab that is stuck, until the user opens the page", async () => {
    const stage = scene();
    const [holder] = (await tabs(stage, 1)) as [App];
    await stage.clock.sleep(2 * HOUR);
    stage.server.faults.push(hangs);
    holder.session.getToken().catch(() => {});
    await stage.clock.advance(SECOND);
    holder.tab.freeze();
    const app = await prerendered(stage);
    app.session.getToken().catch(() => {});
    await stage.clock.advance(5 * MINUTE);
    expect([stage.server.stats.attempts, stage.world.locks.grants.length]).toEqual([1, 1]);
    app.tab.activate();
    await stage.clock.advance(2 * MINUTE);
    expect([stage.serial(app), stage.server.stats.attempts]).toEqual([2, 2]);
  });

  it("R57 is not told of a failure from before its activation whose pause is over", async () => {
    const stage = scene();
    const [other] = (await tabs(stage, 1)) as [App];
    await stage.clock.sleep(2 * HOUR);
    const app = await prerendered(stage);
    const waiting = app.session.getToken();
    stage.server.faults.push(down());
    expect(await stage.outcome(other.session.getToken())).toBe("server");
    other.tab.freeze();
    await stage.clock.advance(10 * MINUTE);
    app.tab.activate();
    expect(stage.server.grants.serialOf(await stage.clock.until(waiting, SECOND))).toBe(2);
  });

  it("R57 waits with a call that was refused, and sends it again after the activation", async () => {
    const stage = scene();
    const other = await stage.signedIn();
    other.tab.close();
    const app = await prerendered(stage);
    stage.server.grants.expireAccessTokens();
    const call = app.session.fetch(`${API}/me`);
    await stage.clock.advance(10 * MINUTE);
    expect([stage.server.apiCalls.length, stage.server.stats.attempts]).toEqual([1, 0]);
    app.tab.activate();
    expect((await stage.clock.until(call, 5 * SECOND)).status).toBe(200);
  });

  it("R57 renewOnOpen: an app that nobody has opened yet renews when the user opens it, once", async () => {
    const stage = scene();
    const before = await stage.signedIn();
    before.tab.close();
    await stage.clock.advance(10 * MINUTE);
    const app = await prerendered(stage, { renewOnOpen: true });
    await stage.clock.advance(5 * MINUTE);
    expect([stage.serial(app), stage.server.stats.attempts]).toEqual([1, 0]);
    app.tab.hidden = false;
    app.tab.signal("wake");
    app.tab.activate();
    await stage.clock.advance(SECOND);
    expect([stage.serial(app), stage.server.stats.attempts]).toEqual([2, 1]);
  });

  it("R57 a sign-in by a cookie asks the server when the user opens the page", async () => {
    const stage = scene();
    let renewals = 0;
    stage.server.apiAnswer = ({ url }) => {
      if (!url.endsWith("/renew")) return undefined;
      renewals += 1;
      return json(200, { accessToken: stage.server.signIn("ada").access_token });
    };
    const app = await prerendered(stage, { refresh: cookie({ url: `${API}/renew` }) });
    const signingIn = app.session.signIn();
    await stage.clock.advance(10 * MINUTE);
    expect([renewals, app.status()]).toEqual([0, "signed-out"]);
    app.tab.activate();
    await stage.clock.until(signingIn, SECOND);
    expect([renewals, app.status()]).toEqual([1, "signed-in"]);
  });

  it("R57 a caller who aborts does not wait for the activation", async () => {
    const { stage, app } = await expired();
    const controller = new AbortController();
    const waiting = app.session.getToken({ signal: controller.signal });
    controller.abort(new Error("not any more"));
    await expect(stage.clock.until(waiting, 10)).rejects.toThrow("not any more");
  });
});
