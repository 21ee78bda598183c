import { describe, expect, it } from "vitest";
import { hangs } from "../../src/testing/faults.js";
import { HOUR, MINUTE, revokingStrategy, SECOND, scene } from "../support/scene.js";

describe("signing out", () => {
  it("R43 clears locally first and within 100 ms, even when the revocation hangs", async () => {
    const stage = scene({ session: { refresh: revokingStrategy() } });
    const app = await stage.signedIn();
    stage.world.network.offline = false;
    const before = stage.clock.monotonic();
    const done = app.session.signOut();
    expect([app.status(), app.bare.peekToken()]).toEqual(["signed-out: user", null]);
    await stage.clock.until(done);
    expect(stage.clock.monotonic() - before).toBeLessThan(100);
    await stage.clock.advance(SECOND);
    expect(stage.server.stats.revocations).toBe(1);
  });

  it("R43 works offline: cleared, stored and told, and no error about the revocation", async () => {
    const stage = scene({ session: { refresh: revokingStrategy() } });
    const app = await stage.signedIn();
    const sibling = await stage.open();
    stage.world.network.offline = true;
    await stage.clock.until(app.session.signOut(), 100);
    await stage.clock.advance(SECOND);
    expect([app.status(), sibling.status()]).toEqual(["signed-out: user", "signed-out: user"]);
    const stored = JSON.stringify(stage.world.stores.names().map((name) => stage.world.stores.read(name)));
    expect([...stage.server.grants.secrets].some((secret) => stored.includes(secret))).toBe(false);
    expect((await stage.open()).status()).toMatch(/^signed-out/);
  });

  it("R43 with storage that hangs still settles within 100 ms of its own", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.world.stores.trouble = () => "hanging";
    const before = stage.clock.monotonic();
    await stage.clock.until(app.session.signOut(), 5_000);
    expect(stage.clock.monotonic() - before).toBeLessThanOrEqual(100);
    expect(app.status()).toBe("signed-out: user");
    stage.world.stores.trouble = () => "none";
  });

  it("R38 reaches all tabs, with one event in each", async () => {
    const stage = scene();
    const first = await stage.signedIn();
    const others = [await stage.open(), await stage.open(), await stage.open()];
    await stage.clock.until(first.session.signOut());
    await stage.clock.advance(SECOND);
    for (const app of [first, ...others]) {
      expect([app.status(), app.count("signed-out"), app.bare.peekToken()]).toEqual(["signed-out: user", 1, null]);
    }
  });

  it.each([
    ["before the server has it", 400],
    ["after the server rotated", 700],
  ])("R25 X5 during a refresh, %s: stays signed out, the late tokens are dropped", async (_, moment) => {
    const stage = scene({ session: { refresh: revokingStrategy() } });
    const app = await stage.signedIn();
    const sibling = await stage.open();
    stage.server.latency = { before: () => 500, after: () => 500 };
    const asked = app.session.refresh().catch((error: { code: string }) => error.code);
    await stage.clock.advance(moment);
    await stage.clock.until(app.session.signOut());
    expect(await stage.clock.until(asked)).toBe("signed-out");
    await stage.clock.advance(MINUTE);
    for (const one of [app, sibling]) {
      expect([one.status(), one.bare.peekToken(), one.count("refreshed"), one.count("signed-out")]).toEqual([
        "signed-out: user",
        null,
        0,
        1,
      ]);
    }
    const stored = JSON.stringify(stage.world.stores.names().map((name) => stage.world.stores.read(name)));
    expect([...stage.server.grants.secrets].some((secret) => stored.includes(secret))).toBe(false);
    expect(stage.server.stats.attempts).toBe(1);
    // The tokens that nobody wanted any more are given back as well.
    expect(stage.server.stats.revocations).toBe(1 + stage.server.stats.refreshes);
  });

  it("R25 in another tab during a refresh: the result is discarded in the tab that asked for it", async () => {
    const stage = scene();
    const holder = await stage.signedIn();
    const other = await stage.open();
    stage.server.latency = { before: () => 500, after: () => 500 };
    const asked = holder.session.refresh().catch((error: { code: string }) => error.code);
    await stage.clock.advance(700);
    await stage.clock.until(other.session.signOut());
    expect(await stage.clock.until(asked)).toBe("signed-out");
    await stage.clock.advance(MINUTE);
    for (const one of [holder, other])
      expect([one.status(), one.count("refreshed"), one.count("signed-out")]).toEqual(["signed-out: user", 0, 1]);
  });

  it("R25 a new sign-in during a refresh: the late result is not stored over it", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.latency = { before: () => 500, after: () => 500 };
    const asked = app.session.refresh().catch(() => "discarded");
    await stage.clock.advance(700);
    await stage.clock.until(app.session.signIn(stage.server.signIn("grace")));
    const serial = stage.serial(app);
    await stage.clock.until(asked);
    await stage.clock.advance(MINUTE);
    expect(stage.serial(app)).toBe(serial);
    expect(app.bare.getSnapshot().claims).toMatchObject({ sub: "grace" });
    expect(app.count("refreshed")).toBe(0);
  });

  it("J15 signs out while the endpoint hangs, and nothing wakes up again", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    await stage.clock.sleep(2 * HOUR);
    stage.server.fault = hangs;
    const waiting = app.session.getToken().catch((error: { code: string }) => error.code);
    await stage.clock.advance(SECOND);
    await stage.clock.until(app.session.signOut(), 100);
    expect(await stage.clock.until(waiting, 100)).toSatisfy((value) => value === null || value === "signed-out");
    await stage.clock.advance(HOUR);
    expect([app.status(), stage.server.stats.attempts]).toEqual(["signed-out: user", 1]);
  });

  it.each(["its storage hangs", "it is closed in the very same task"])(
    "R38 R43 reaches the other tabs, and the ledger, though %s",
    async (what) => {
      const stage = scene();
      const app = await stage.signedIn();
      const sibling = await stage.open();
      const closes = what.includes("closed");
      if (!closes) stage.world.stores.trouble = (tab) => (tab === app.tab ? "hanging" : "none");
      void app.session.signOut();
      if (closes) app.tab.close();
      await stage.clock.advance(SECOND);
      expect([sibling.status(), (await stage.open()).status()]).toEqual(["signed-out: user", "signed-out: user"]);
    },
  );

  it("R25 is not undone by a look at the ledger that began before it", async () => {
    const stage = scene({ world: { delays: { store: () => 20 } } });
    for (let moment = 0; moment < 100; moment += 5) {
      const app = await stage.signedIn();
      const seen: string[] = [];
      app.tab.signal("wake");
      await stage.clock.advance(moment);
      const done = app.session.signOut();
      app.bare.subscribe(() => seen.push(app.status()));
      await stage.clock.until(done);
      await stage.clock.advance(200);
      expect([app.status(), seen.filter((status) => status === "signed-in")]).toEqual(["signed-out: user", []]);
      app.tab.close();
    }
  });

  it("twice, or without a session, does nothing more", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    await stage.clock.until(app.session.signOut());
    await stage.clock.until(app.session.signOut());
    expect(app.count("signed-out")).toBe(1);
    const stranger = scene();
    const other = await stranger.open();
    await stranger.clock.until(other.session.signOut());
    expect([other.count("signed-out"), other.status()]).toEqual([0, "signed-out"]);
  });
});
