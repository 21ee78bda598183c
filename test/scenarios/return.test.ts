import { describe, expect, it } from "vitest";
import { audiences } from "../../src/index.js";
import { API } from "../../src/testing/token-server.js";
import type { App } from "../support/app.js";
import { MINUTE, type Scene, SECOND, scene } from "../support/scene.js";
import { tabs } from "../support/tabs.js";

/** A page goes away. Returns the way back, after which no task of the page has run yet. */
type Leave = (app: App) => () => void;

const throughCache: Leave = ({ tab }) => {
  tab.enterCache();
  return () => tab.leaveCache();
};
const withoutSignal: Leave = ({ tab }) => {
  tab.freeze();
  return () => tab.thaw();
};

/** A page that is away while another tab does something. */
async function away(leave: Leave, meanwhile: (stage: Scene, other: App) => Promise<unknown>) {
  const stage = scene();
  const [app, other] = (await tabs(stage, 2)) as [App, App];
  const comeBack = leave(app);
  await stage.clock.until(meanwhile(stage, other));
  await stage.clock.advance(2 * MINUTE);
  return { stage, app, other, comeBack, bearers: () => stage.server.apiCalls.map(({ bearer }) => bearer) };
}

const signOut = (_: Scene, other: App) => other.session.signOut();
const signInAsGrace = (stage: Scene, other: App) => other.session.signIn(stage.server.signIn("grace"));
const refresh = (_: Scene, other: App) => other.session.refresh();

describe.each([
  ["from the back/forward cache", throughCache],
  ["from a time without any signal", withoutSignal],
])("a page that is back %s", (_, leave) => {
  it("R55 sends no call as a user who has signed out meanwhile", async () => {
    const { stage, app, comeBack, bearers } = await away(leave, signOut);
    comeBack();
    const calls = [app.session.fetch(`${API}/me`), app.session.getToken(), app.session.getIdToken()];
    expect(app.session.peekToken()).toBeNull();
    expect(await stage.clock.until(Promise.all(calls))).toMatchObject([{ status: 401 }, null, null]);
    expect([bearers(), app.status()]).toEqual([["none"], "signed-out: user"]);
  });

  it("R55 R54 sends no call of one user as another", async () => {
    const { stage, app, comeBack, bearers } = await away(leave, signInAsGrace);
    comeBack();
    expect(await stage.outcome(app.session.fetch(`${API}/orders`, { method: "POST", body: "ada's" }))).toBe("user-changed");
    expect([bearers(), app.count("user-changed")]).toEqual([[], 1]);
    expect([await stage.call(app), bearers()]).toEqual([200, [2]]);
  });

  it("R55 sends its calls with the token that another tab has got, after one read for all of them", async () => {
    const { stage, app, comeBack, bearers } = await away(leave, refresh);
    comeBack();
    const { transactions } = stage.world.stores;
    const calls = Array.from({ length: 50 }, () => app.session.fetch(`${API}/me`));
    expect(app.session.peekToken()).toBeNull();
    await stage.clock.until(Promise.all(calls));
    expect(new Set(bearers())).toEqual(new Set([2]));
    expect(stage.world.stores.transactions - transactions).toBeLessThanOrEqual(2);
    expect([stage.serial(app), stage.server.stats.attempts]).toEqual([2, 1]);
  });

  it("R55 sends at once what carries no bearer of the session", async () => {
    const { stage, app, comeBack } = await away(leave, refresh);
    comeBack();
    const { length } = stage.world.network.sent;
    const calls = [
      app.session.fetch("https://elsewhere.example.test/"),
      app.session.fetch(`${API}/me`, { headers: { authorization: "Basic eA==" } }),
    ];
    expect(stage.world.network.sent.length - length).toBe(2);
    await stage.clock.until(Promise.all(calls));
  });
});

describe("a page that is back", () => {
  it("R55 sends its calls as known after a second if storage does not answer, however many follow", async () => {
    const { stage, app, comeBack, bearers } = await away(throughCache, refresh);
    stage.world.stores.trouble = () => "hanging";
    comeBack();
    const since = stage.clock.monotonic();
    const call = app.session.fetch(`${API}/me`);
    await stage.clock.advance(SECOND - 1);
    expect([bearers(), app.session.peekToken()]).toEqual([[], null]);
    await stage.clock.until(call);
    expect([bearers(), stage.clock.monotonic() - since]).toEqual([[1], SECOND + 10]);
    expect(stage.serial(app)).toBe(1);
    stage.world.stores.trouble = () => "none";
  });

  it.each(["show", "wake"] as const)("R55 is safe in a listener of the app that hears %s before the session does", async (signal) => {
    const stage = scene();
    const [other] = (await tabs(stage, 1)) as [App];
    const tab = stage.world.tab();
    let call: Promise<Response> | undefined;
    const forget = tab.environment.onPageSignal((heard) => {
      if (heard === signal) call ??= app.session.fetch(`${API}/me`);
    });
    const app = await stage.open({}, { tab });
    tab.enterCache();
    await stage.clock.until(other.session.signOut());
    await stage.clock.advance(2 * SECOND);
    tab.thaw();
    tab.signal(signal);
    tab.show();
    expect((await stage.clock.until(call!)).status).toBe(401);
    expect(stage.server.apiCalls.map(({ bearer }) => bearer)).toEqual(["none"]);
    forget();
  });

  it("R55 sends what a listener saves as the page leaves in the same task", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    app.tab.hide();
    const { length } = stage.world.network.sent;
    const saved = app.session.fetch(`${API}/draft`, { method: "POST", body: "a draft", keepalive: true });
    expect([stage.world.network.sent.length - length, stage.serial(app)]).toEqual([1, 1]);
    await stage.clock.until(saved);
  });

  it("R55 knows nothing newer for a call while it is away once more", async () => {
    const { stage, app, other, comeBack, bearers } = await away(throughCache, refresh);
    comeBack();
    app.tab.enterCache();
    await stage.clock.until(other.session.signOut());
    await stage.clock.advance(5 * SECOND);
    app.tab.leaveCache();
    expect(await stage.call(app)).toBe(401);
    expect(bearers()).toEqual(["none"]);
  });

  it("R55 waits for nothing as the page is first shown, or looked at", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    for (const signal of ["show", "wake", "online"] as const) {
      app.tab.signal(signal);
      expect(stage.serial(app)).toBe(1);
    }
  });

  it("R55 sends no call to the API of an audience as a user who has signed out meanwhile", async () => {
    const BILLING = "https://billing.example.test";
    const stage = scene({ session: { audiences: audiences({ [BILLING]: {} }) } });
    const [app, other] = (await tabs(stage, 2)) as [App, App];
    await stage.clock.until(app.session.getToken({ audience: BILLING }));
    app.tab.enterCache();
    await stage.clock.until(other.session.signOut());
    await stage.clock.advance(5 * SECOND);
    app.tab.leaveCache();
    expect((await stage.clock.until(app.session.fetch(`${BILLING}/me`))).status).toBe(401);
    expect(stage.server.apiCalls.map(({ bearer }) => bearer)).toEqual(["none"]);
  });

  it("R55 R20 keeps the token when the server refuses a scheduled refresh that is late", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.grants.revoke();
    const due = app.bare.getSnapshot().refreshDueAt! - stage.clock.now();
    await stage.clock.advance(due - 10);
    app.tab.freeze();
    await stage.clock.advance(20 * SECOND);
    app.tab.thaw();
    await stage.clock.advance(2 * SECOND);
    expect([app.status(), app.count("refresh-failed")]).toEqual(["signed-in", 1]);
  });
});
