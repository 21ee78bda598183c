import { describe, expect, it } from "vitest";
import { memory } from "../../src/session/memory.js";
import { API } from "../../src/testing/token-server.js";
import { HOUR, SECOND, scene } from "../support/scene.js";

describe("somebody else signs in while a request of the former user is on its way", () => {
  it.each(["this tab", "another tab"])("R54 in %s: a 401 rejects, and the request is not sent again as the new user", async (where) => {
    const stage = scene();
    const app = await stage.signedIn();
    const signing = where === "this tab" ? app : await stage.open();
    stage.server.apiLatency = () => 2 * SECOND;
    stage.server.apiAnswer = ({ bearer }) => (bearer === 1 ? { status: 401 } : undefined);
    const call = app.session.fetch(`${API}/orders`, { method: "POST", body: "ada's" });
    await stage.clock.advance(500);
    await stage.clock.until(signing.session.signIn(stage.server.signIn("grace")));
    expect(await stage.outcome(call)).toBe("user-changed");
    expect(stage.server.apiCalls.map(({ bearer }) => bearer)).toEqual([1]);
  });

  it("R54 one that waits for a new token is not sent, neither with the new user's cookie", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    await stage.clock.sleep(2 * HOUR);
    stage.server.latency = { before: () => SECOND, after: () => SECOND };
    const call = app.session.fetch(`${API}/orders`, { method: "POST", body: "ada's" });
    await stage.clock.advance(500);
    await stage.clock.until(app.session.signIn(stage.server.signIn("grace")));
    expect(await stage.outcome(call)).toBe("user-changed");
    expect(stage.server.apiCalls).toEqual([]);
  });

  it("the same user who signs in again gets the request through", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.apiLatency = () => 2 * SECOND;
    stage.server.apiAnswer = ({ bearer }) => (bearer === 1 ? { status: 401 } : undefined);
    const call = app.session.fetch(`${API}/orders`, { method: "POST", body: "ada's" });
    await stage.clock.advance(500);
    await stage.clock.until(app.session.signIn(stage.server.signIn("ada")));
    expect((await stage.clock.until(call)).status).toBe(200);
    expect(stage.server.apiCalls.map(({ bearer }) => bearer)).toEqual([1, 2]);
  });
});

describe("a late verdict that the session is over", () => {
  const strict = () => scene({ session: { classify: ({ response }) => (response?.status === 403 ? "sign-out" : "ok") } });

  it("R34 R54 about another user's token does not sign this one out", async () => {
    const stage = strict();
    const app = await stage.signedIn();
    stage.server.apiLatency = () => 2 * SECOND;
    stage.server.apiAnswer = () => ({ status: 403 });
    const call = app.session.fetch(`${API}/orders`);
    await stage.clock.advance(500);
    await stage.clock.until(app.session.signIn(stage.server.signIn("grace")));
    expect(await stage.outcome(call)).toBe("user-changed");
    await stage.clock.advance(SECOND);
    expect([app.status(), app.count("signed-out")]).toEqual(["signed-in", 0]);
  });

  it("R34 about a token that has been renewed meanwhile does not end the session either", async () => {
    const stage = strict();
    const app = await stage.signedIn();
    stage.server.apiLatency = () => 2 * SECOND;
    stage.server.apiAnswer = () => ({ status: 403 });
    const call = app.session.fetch(`${API}/orders`);
    await stage.clock.advance(500);
    await stage.clock.until(app.session.refresh());
    await stage.clock.until(call);
    await stage.clock.advance(SECOND);
    expect([app.status(), stage.serial(app)]).toEqual(["signed-in", 2]);
  });
});

describe("the former user does not come back", () => {
  it("R38 R25 a sign-out that was stuck in a page in the cache does not end a later session", async () => {
    const stage = scene();
    const first = await stage.signedIn();
    const second = await stage.open();
    void first.session.signOut();
    first.tab.enterCache();
    await stage.clock.advance(10 * SECOND);
    await stage.clock.until(second.session.signIn(stage.server.signIn("grace")));
    await stage.clock.advance(HOUR / 2);
    const before = second.count("signed-out");
    first.tab.leaveCache();
    await stage.clock.advance(SECOND);
    expect([first.status(), second.status(), second.count("signed-out")]).toEqual(["signed-in", "signed-in", before]);
  });

  it("R38 in memory mode one user-changed has both claims, also when the ledger was read before the message came", async () => {
    const stage = scene({ shares: true, session: { persist: memory() }, world: { delays: { message: () => 400 } } });
    const owner = await stage.signedIn();
    const sibling = await stage.open();
    await stage.clock.advance(SECOND);
    await stage.clock.until(owner.session.signIn(stage.server.signIn("grace")));
    sibling.tab.signal("wake");
    await stage.clock.advance(2 * SECOND);
    expect(sibling.events()).toEqual(["signed-in", "user-changed"]);
    expect(sibling.payloads("user-changed")).toMatchObject([{ before: { sub: "ada" }, after: { sub: "grace" } }]);
  });
});
