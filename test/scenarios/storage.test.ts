import { describe, expect, it } from "vitest";
import { answers, down, throttled } from "../../src/testing/faults.js";
import { HOUR, kept, MINUTE, type SceneOptions, SECOND, scene as set } from "../support/scene.js";

/** Without storage, tabs hand each other the access token. */
const scene = (options: SceneOptions = {}) => set({ shares: true, ...options });

describe("storage that fails", () => {
  it.each(["denied", "full"] as const)("R26 %s from the start: runs from memory, renews, and warns once", async (trouble) => {
    const stage = scene();
    stage.world.stores.trouble = () => trouble;
    const app = await stage.signedIn();
    for (let hour = 0; hour < 5; hour += 1) {
      expect(await stage.call(app)).toBe(200);
      await stage.clock.advance(HOUR);
    }
    expect([app.status(), app.tab.reports.length]).toEqual(["signed-in", 1]);
    expect(stage.server.stats).toMatchObject({ reused: 0, apiUnauthorized: 0 });
  });

  it.each(["denied", "full"] as const)("R26 %s in the middle of a session: nothing is lost, one warning", async (trouble) => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.world.stores.trouble = () => trouble;
    for (let hour = 0; hour < 5; hour += 1) {
      expect(await stage.call(app)).toBe(200);
      await stage.clock.advance(HOUR);
    }
    expect([app.status(), app.tab.reports.length, stage.server.stats.reused]).toEqual(["signed-in", 1, 0]);
  });

  it("R26 several tabs whose storage is denied stay together by the channel", async () => {
    const stage = scene({ server: { grace: 5_000 } });
    stage.world.stores.trouble = () => "denied";
    const apps = [await stage.open(), await stage.open(), await stage.open()];
    await stage.clock.until(apps[0]?.session.signIn(stage.server.signIn()) as Promise<void>);
    await stage.clock.advance(5 * HOUR);
    for (const app of apps) expect([app.status(), await stage.call(app)]).toEqual(["signed-in", 200]);
    await stage.clock.until(apps[1]?.session.signOut() as Promise<void>);
    await stage.clock.advance(SECOND);
    for (const app of apps) expect(app.status()).toBe("signed-out: user");
  });

  it("R26 that fills up while the tokens in it are old ones: the next tab does not use them again", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.world.stores.trouble = () => "full";
    await stage.clock.until(app.session.refresh());
    await stage.clock.advance(SECOND);
    const next = await stage.open();
    await stage.clock.advance(5 * SECOND);
    await stage.outcome(next.session.getToken(), 25_000);
    await stage.clock.advance(2 * HOUR);
    expect(stage.server.stats.reused).toBe(0);
    expect(app.status()).toBe("signed-in");
  });

  it("R26 that hangs when a page opens: ready within 3 s, R87 then still restoring, and sign-in works", async () => {
    const stage = scene();
    stage.world.stores.trouble = () => "hanging";
    const app = stage.start();
    await stage.clock.until(app.session.ready, 3_000);
    expect(app.status()).toBe("restoring");
    await stage.clock.until(app.session.signIn(stage.server.signIn()), 5_000);
    expect(await stage.call(app)).toBe(200);
    await stage.clock.advance(2 * HOUR);
    expect([await stage.call(app), app.tab.reports.length]).toEqual([200, 1]);
  });

  it("R26 that hangs in the middle of a session hangs nobody", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.world.stores.trouble = () => "hanging";
    await stage.clock.sleep(2 * HOUR);
    const settled = await stage.outcome(app.session.getToken(), 25_000);
    expect(settled).not.toBeNull();
    expect(app.status()).toBe("signed-in");
  });

  const corrupt = { text: "garbage", number: 7, "an empty object": {}, list: [1, 2], "a record of another version": { v: 99, tokens: 7 } };
  it.each(Object.entries(corrupt))(
    "R26 a corrupt ledger (%s): signed out, cleaned up, one warning, and sign-in works",
    async (_, value) => {
      const stage = scene();
      const seed = await stage.signedIn();
      const name = stage.world.stores.names()[0] ?? "";
      seed.tab.crash();
      stage.world.stores.plant(name, value);
      const app = await stage.open();
      expect([app.status(), app.tab.reports.length]).toEqual(["signed-out", 1]);
      await stage.clock.until(app.session.signIn(stage.server.signIn()));
      const next = await stage.open();
      expect([next.status(), next.tab.reports.length, app.tab.reports.length]).toEqual(["signed-in", 0, 1]);
    },
  );

  it("R26 a ledger that becomes corrupt under a living session does not lose it", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.world.stores.plant(stage.world.stores.names()[0] ?? "", "garbage");
    await stage.clock.advance(2 * HOUR);
    expect([app.status(), await stage.call(app), app.tab.reports.length]).toEqual(["signed-in", 200, 1]);
  });

  it("ends the session when the user clears the site's data, in every tab, once", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const sibling = await stage.open();
    stage.world.stores.clear();
    await stage.clock.advance(HOUR);
    for (const one of [app, sibling]) expect([one.status(), one.count("signed-out")]).toEqual(["signed-out: storage-cleared", 1]);
    await stage.clock.until(app.session.signIn(stage.server.signIn()));
    await stage.clock.advance(MINUTE);
    expect(sibling.status()).toBe("signed-in");
  });

  it.each(["signed in before", "opened later"])("R26 in one tab alone, which was %s: it lives on what the others tell it", async (when) => {
    const stage = scene();
    const app = await stage.signedIn();
    const before = when === "signed in before" ? await stage.open() : undefined;
    stage.world.stores.trouble = (tab) => (tab === app.tab ? "none" : "denied");
    const other = before ?? (await stage.open());
    expect(other.status()).toBe("signed-in");
    for (let hour = 0; hour < 5; hour += 1) {
      await stage.clock.advance(HOUR);
      expect([app.status(), other.status(), await stage.call(other)]).toEqual(["signed-in", "signed-in", 200]);
    }
    expect([other.count("signed-out"), stage.server.stats.reused]).toEqual([0, 0]);
    expect(stage.world.channels.posted.length).toBeLessThan(100);
  });
});

describe("storage that is read and takes nothing more", () => {
  const full = async (options: SceneOptions = {}) => {
    const stage = scene(options);
    const app = await stage.signedIn();
    stage.world.stores.trouble = () => "full";
    return { stage, app };
  };

  it("R26 R64 the pause that the server asked for holds, in tabs that are opened meanwhile, too", async () => {
    const { stage, app } = await full();
    const other = await stage.open();
    stage.server.faults.push(throttled(120));
    await stage.outcome(app.session.refresh());
    await stage.clock.advance(10 * SECOND);
    const late = await stage.open();
    for (const { session } of [app, other, late]) expect(await stage.outcome(session.refresh())).toBe("throttled");
    expect(stage.server.stats.attempts).toBe(1);
  });

  it("R18 R26 a server that is down keeps its pace, whoever calls", async () => {
    const { stage, app } = await full();
    await stage.clock.sleep(2 * HOUR);
    stage.server.fault = down();
    for (let second = 0; second < 120; second += 1) {
      app.session.getToken().catch(() => {});
      await stage.clock.advance(SECOND);
    }
    expect(stage.server.stats.attempts).toBeLessThan(8);
  });

  it("R26 R63 answers that are neither tokens nor a refusal are counted", async () => {
    const { stage, app } = await full({ server: { accessSeconds: 60 } });
    stage.server.fault = answers(200, { ok: true });
    await stage.clock.advance(HOUR);
    expect(stage.server.stats.attempts).toBeLessThan(20);
    expect(app.tab.reports.length).toBe(2);
  });

  it("R26 R20 a refresh token that was refused ahead of expiry is not sent again", async () => {
    const { stage, app } = await full({ session: { lead: 30 * MINUTE } });
    stage.server.grants.revoke();
    await stage.clock.advance(59 * MINUTE);
    expect([stage.server.stats.attempts, app.status()]).toEqual([1, "signed-in"]);
  });

  it("R26 what was learnt is stored when there is room again", async () => {
    const { stage, app } = await full();
    stage.server.faults.push(throttled(120));
    await stage.outcome(app.session.refresh());
    stage.world.stores.trouble = () => "none";
    app.tab.signal("wake");
    await stage.clock.advance(SECOND);
    app.tab.close();
    const next = await stage.open();
    expect(await stage.outcome(next.session.refresh())).toBe("throttled");
  });

  it.each(["indexeddb", "memory"] as const)(
    "R26 a tab that is opened gets the session of the others, which is not in it: %s",
    async (persist) => {
      const stage = scene({ session: { persist: kept(persist) } });
      const app = await stage.signedIn();
      await stage.clock.until(app.session.signOut());
      stage.world.stores.trouble = () => "full";
      await stage.clock.until(app.session.signIn(stage.server.signIn()));
      const next = await stage.open();
      await stage.clock.advance(SECOND);
      expect([app.status(), next.status()]).toEqual(["signed-in", "signed-in"]);
    },
  );

  it("R26 a tab that is opened where nothing was ever stored gets the session of the others, and none waits for it", async () => {
    const stage = scene();
    stage.world.stores.trouble = () => "full";
    const app = await stage.signedIn();
    const next = await stage.open();
    await stage.clock.advance(SECOND);
    expect([app.status(), next.status()]).toEqual(["signed-in", "signed-in"]);
    const empty = scene();
    const since = empty.clock.now();
    await empty.open();
    expect(empty.clock.now() - since).toBeLessThan(100);
  });
});
