import { describe, expect, it } from "vitest";
import type { App } from "../support/app.js";
import { type Scene, SECOND, scene as set } from "../support/scene.js";

/** A user is signed in, and a page opens whose storage answers after `after` milliseconds, or never. */
async function opening(after: number, before?: (stage: Scene) => void): Promise<{ stage: Scene; app: App }> {
  let delay = 1;
  const stage = set({ shares: true, world: { delays: { store: () => delay } } });
  const earlier = await stage.signedIn();
  before?.(stage);
  earlier.tab.close();
  // A read takes two of these delays.
  delay = after / 2;
  if (after === Infinity) stage.world.stores.trouble = () => "hanging";
  return { stage, app: stage.start() };
}

/** A guard of the documentation: it waits for a status other than `restoring`. */
const guard = ({ bare }: App): Promise<string> =>
  new Promise((resolve) => {
    const check = () => bare.getSnapshot().status !== "restoring" && resolve(bare.getSnapshot().status);
    bare.subscribe(check);
    check();
  });

/** The time that `promise` takes. */
async function taken(stage: Scene, promise: Promise<unknown>, limit: number): Promise<number> {
  const since = stage.clock.monotonic();
  await stage.outcome(promise, limit);
  return stage.clock.monotonic() - since;
}

describe("R87 storage that is slow as the page opens", () => {
  it("answers after 5 s: ready after 3 s, and no guard sees a user as signed out", async () => {
    const { stage, app } = await opening(5 * SECOND);
    const guarded = guard(app);
    expect(await taken(stage, app.session.ready, 3_100)).toBe(3_000);
    expect(app.status()).toBe("restoring");
    expect(await stage.clock.until(guarded, 3_000)).toBe("signed-in");
    expect([app.events(), await stage.call(app)]).toEqual([["signed-in"], 200]);
  });

  it("answers after 5 s that nobody is signed in: no guard lets anybody in", async () => {
    const { stage, app } = await opening(5 * SECOND, (stage) => stage.world.stores.clear());
    const guarded = guard(app);
    await stage.clock.until(app.session.ready, 3_100);
    expect(app.status()).toBe("restoring");
    expect(await stage.clock.until(guarded, 3_000)).toBe("signed-out");
    expect(app.status()).toBe("signed-out");
  });

  it("answers after 20 s: signed out after 10 s with a reason of its own, and signed in when it answers", async () => {
    const { stage, app } = await opening(20 * SECOND);
    await stage.clock.advance(9_990);
    expect(app.status()).toBe("restoring");
    await stage.clock.advance(20);
    expect(app.status()).toBe("signed-out: storage-unavailable");
    await stage.clock.advance(11 * SECOND);
    expect([app.status(), app.bare.getSnapshot().claims?.sub]).toEqual(["signed-in", "ada"]);
    expect(stage.server.stats.attempts).toBe(0);
  });

  it("never answers: signed out after 10 s, and a sign-in works in memory", async () => {
    const { stage, app } = await opening(Infinity);
    expect(await stage.clock.until(guard(app), 10_100)).toBe("signed-out");
    expect(app.status()).toBe("signed-out: storage-unavailable");
    await stage.clock.until(app.session.signIn(stage.server.signIn("grace")), 3_100);
    expect([app.status(), await stage.call(app), app.tab.reports.length]).toEqual(["signed-in", 200, 1]);
  });

  it.each([5 * SECOND, 20 * SECOND, Infinity])("a sign-in while restoring is the session then (storage after %s ms)", async (after) => {
    const { stage, app } = await opening(after);
    await stage.clock.advance(SECOND);
    expect(app.status()).toBe("restoring");
    expect(await taken(stage, app.session.signIn(stage.server.signIn("grace")), 3_100)).toBeLessThanOrEqual(3_000);
    await stage.clock.advance(60 * SECOND);
    expect([app.status(), app.bare.getSnapshot().claims?.sub, await stage.call(app)]).toEqual(["signed-in", "grace", 200]);
    expect(app.count("signed-out")).toBe(0);
  });

  it("a sign-out while restoring settles at once, and no session shows when storage answers", async () => {
    const { stage, app } = await opening(5 * SECOND);
    expect(await taken(stage, app.session.signOut(), 200)).toBeLessThanOrEqual(100);
    await stage.clock.advance(60 * SECOND);
    expect([app.bare.getSnapshot().status, app.count("signed-in")]).toEqual(["signed-out", 0]);
    expect(await stage.clock.until(guard(await stage.open()), 10_000)).toBe("signed-out");
  });

  it("dispose meanwhile: ready resolves, the status stays, and storage that answers changes nothing", async () => {
    const { stage, app } = await opening(5 * SECOND);
    const asked = app.session.getToken().catch((error: { code: string }) => error.code);
    await stage.clock.advance(4 * SECOND);
    app.bare.dispose();
    expect([await taken(stage, app.session.ready, 10), await asked]).toEqual([0, "disposed"]);
    await stage.clock.advance(20 * SECOND);
    expect([app.status(), app.events()]).toEqual(["restoring", []]);
  });

  it("calls meanwhile wait for the session, and send its token", async () => {
    const { stage, app } = await opening(5 * SECOND);
    const call = app.session.fetch("https://api.example.test/me");
    const token = app.session.getToken();
    await stage.clock.until(token, 6_000);
    expect([stage.server.grants.serialOf(await token), (await stage.clock.until(call)).status]).toEqual([1, 200]);
    expect(stage.server.stats.apiUnauthorized).toBe(0);
  });

  it.each(["getToken", "refresh", "fetch"] as const)("P5 %s settles within its limit, though storage never answers", async (name) => {
    const { stage, app } = await opening(Infinity);
    const calls = {
      getToken: () => app.session.getToken(),
      refresh: () => app.session.refresh(),
      fetch: () => app.session.fetch("https://api.example.test/me"),
    };
    expect(await taken(stage, calls[name](), 30_000)).toBeLessThanOrEqual(25_000);
    expect(await taken(stage, calls[name](), 30_000), "the second one waits for nothing").toBeLessThan(1_000);
  });
});
