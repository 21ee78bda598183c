import { describe, expect, it } from "vitest";
import { cookie, renewalHeader } from "../../src/index.js";
import { memory } from "../../src/session/memory.js";
import { down } from "../../src/testing/faults.js";
import { json } from "../../src/testing/reply.js";
import { API } from "../../src/testing/token-server.js";
import { HOUR, SECOND, scene } from "../support/scene.js";

const NOTHING = { timers: 0, listeners: 0, channels: 0, connections: 0, locks: 0 };

describe("dispose", () => {
  it("R35 before the restore: a getToken that waits for it does not take the session for signed out", async () => {
    const stage = scene();
    await stage.signedIn();
    const app = stage.start();
    const waiting = app.session.getToken();
    waiting.catch(() => {});
    app.bare.dispose();
    expect(await stage.outcome(waiting)).toBe("disposed");
  });

  it("R35 before the restore: a refresh that waits for it does not start", async () => {
    const stage = scene({ shares: true, session: { persist: memory() } });
    const owner = await stage.signedIn();
    owner.tab.freeze();
    const app = stage.start();
    const waiting = app.session.refresh();
    waiting.catch(() => {});
    await stage.clock.advance(100);
    app.bare.dispose();
    await stage.clock.advance(10);
    expect([await stage.outcome(waiting, 10), stage.world.leftovers(app.tab)]).toEqual(["disposed", NOTHING]);
  });

  it("R35 before the restore: subscribers hear nothing of it", async () => {
    const stage = scene();
    await stage.signedIn();
    const app = stage.start();
    let calls = 0;
    app.bare.subscribe(() => {
      calls += 1;
    });
    app.bare.dispose();
    await stage.clock.advance(SECOND);
    expect([calls, app.status()]).toEqual([0, "restoring"]);
  });

  it("R35 during a refresh that fails: no listener hears of it", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.latency = { before: () => 500, after: () => 500 };
    stage.server.faults.push(down());
    app.session.refresh().catch(() => {});
    await stage.clock.advance(200);
    app.bare.dispose();
    const before = app.heard.length;
    await stage.clock.advance(5 * SECOND);
    expect(stage.server.stats.attempts).toBe(1);
    expect(app.heard).toHaveLength(before);
  });

  it("R35 while a sign-in by a cookie waits for a refresh, which waits for the lock: leaves nothing behind", async () => {
    const stage = scene({ session: { refresh: cookie({ url: `${API}/renew` }) } });
    stage.server.apiAnswer = ({ url }) => (url.endsWith("/renew") ? "silence" : undefined);
    const holder = await stage.signedIn();
    const app = await stage.open();
    holder.session.refresh().catch(() => {});
    await stage.clock.advance(200);
    app.session.refresh().catch(() => {});
    const waiting = app.session.signIn();
    waiting.catch(() => {});
    await stage.clock.advance(200);
    app.bare.dispose();
    await stage.clock.advance(10);
    expect([await stage.outcome(waiting, 10), stage.world.leftovers(app.tab)]).toEqual(["disposed", NOTHING]);
  });

  it("R35 R11 while waiting for the lock: leaves nothing behind", async () => {
    const stage = scene();
    const first = await stage.signedIn();
    const second = await stage.open();
    stage.server.latency = { before: () => 500, after: () => 500 };
    void first.session.refresh();
    await stage.clock.advance(200);
    second.session.refresh().catch(() => {});
    await stage.clock.advance(100);
    second.bare.dispose();
    await stage.clock.advance(10);
    expect(stage.world.leftovers(second.tab)).toEqual(NOTHING);
  });

  it("R35 R11 without storage, while siblings have a moment to object: leaves no timer", async () => {
    const stage = scene({ shares: true });
    stage.world.stores.trouble = () => "denied";
    const app = await stage.signedIn();
    app.session.refresh().catch(() => {});
    await stage.clock.advance(50);
    app.bare.dispose();
    await stage.clock.advance(5);
    expect(stage.world.leftovers(app.tab).timers).toBe(0);
    expect(stage.server.stats.attempts).toBe(0);
  });

  it("R35 in the middle of a refresh: the database is closed when its answer has been written", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.latency = { before: () => 500, after: () => 500 };
    app.session.refresh().catch(() => {});
    await stage.clock.advance(200);
    app.bare.dispose();
    await stage.clock.advance(5 * SECOND);
    expect(stage.world.leftovers(app.tab)).toEqual(NOTHING);
    expect(stage.serial(await stage.open())).toBe(2);
    await stage.clock.advance(HOUR);
    expect(stage.server.stats.reused).toBe(0);
  });

  it.each(["a 401 to what was sent again", "renewalHeader"])(
    "R35 before an answer comes: the database is closed after %s",
    async (kind) => {
      const stage = scene();
      const app = await stage.signedIn({ renewalHeader: renewalHeader("x-renewed") });
      stage.server.apiAnswer = () => (kind === "renewalHeader" ? json(200, {}, { "x-renewed": "later" }) : json(401, {}));
      stage.server.apiLatency = () => 2 * SECOND;
      const call = app.session.fetch(`${API}/x`);
      await stage.clock.advance(kind === "renewalHeader" ? 500 : 3_500);
      app.bare.dispose();
      await stage.clock.until(call);
      await stage.clock.advance(10 * SECOND);
      expect(stage.world.leftovers(app.tab)).toEqual(NOTHING);
    },
  );
});
