import { describe, expect, it } from "vitest";
import type { StoreTrouble } from "../../src/testing/store.js";
import { type Scene, SECOND, scene } from "../support/scene.js";

const DAY = 86_400_000;
const slow = { world: { delays: { store: () => 300 } } };

/** What is left of the session in storage: a text with each value and each mark. */
const left = ({ world: { stores } }: Scene) => JSON.stringify(stores.names().map((name) => [stores.read(name), stores.markOf(name)]));

describe("R85 a page that leaves in the task of its sign-out", () => {
  it.each(["crash", "close", "enterCache"] as const)(
    "by %s is signed out on the next page, whose opening removes the tokens",
    async (leave) => {
      const stage = scene(slow);
      const app = await stage.signedIn();
      void app.session.signOut();
      app.tab[leave]();
      await stage.clock.advance(SECOND);
      const next = await stage.open();
      expect([next.status(), next.bare.peekToken()]).toEqual(["signed-out: user", null]);
      await stage.clock.advance(2 * SECOND);
      expect([...stage.server.grants.secrets].filter((secret) => left(stage).includes(secret))).toEqual([]);
      expect(left(stage)).toMatch(/,null\]\]$/);
      app.tab.crash();
    },
  );

  it("before its session has a connection is signed out on the next page, too", async () => {
    const stage = scene(slow);
    const first = await stage.signedIn();
    first.tab.crash();
    const app = stage.start();
    void app.session.signOut();
    app.tab.crash();
    expect((await stage.open()).status()).toBe("signed-out: user");
  });

  it.each(["stays", "crashes"])(
    "before it has read a session that began while the clock was a day ahead, and %s with its connection",
    async (what) => {
      const stage = scene(slow);
      stage.clock.jump(DAY);
      const first = await stage.signedIn();
      first.tab.crash();
      stage.clock.jump(-DAY);
      const app = stage.start();
      void app.session.signOut();
      await stage.clock.advance(400);
      if (what === "crashes") app.tab.crash();
      await stage.clock.advance(2 * SECOND);
      expect([(await stage.open()).status(), app.tab.dead || app.status()]).toEqual([
        "signed-out: user",
        what === "crashes" || "signed-out: user",
      ]);
    },
  );

  it("is signed out although another tab's renewal comes between", async () => {
    const stage = scene({ world: { delays: { store: () => 20 } } });
    const app = await stage.signedIn();
    const other = await stage.open();
    stage.server.latency = { before: () => 50, after: () => 50 };
    const renewed = other.session.refresh().catch(({ code }: { code: string }) => code);
    await stage.clock.advance(SECOND / 5);
    stage.world.channels.lose = () => true;
    void app.session.signOut();
    app.tab.crash();
    await stage.clock.until(renewed);
    await stage.clock.advance(SECOND);
    expect((await stage.open()).status()).toBe("signed-out: user");
  });
});

describe("R85 the mark of a sign-out", () => {
  it("of a page whose clock is a day ahead locks no user out", async () => {
    const stage = scene(slow);
    const app = await stage.signedIn();
    stage.clock.jump(DAY);
    void app.session.signOut();
    app.tab.crash();
    stage.clock.jump(-DAY);
    const next = await stage.open();
    expect(next.status()).toBe("signed-out: user");
    await stage.clock.until(next.session.signIn(stage.server.signIn("grace")));
    await stage.clock.advance(2 * SECOND);
    expect([next.status(), (await stage.open()).status()]).toEqual(["signed-in", "signed-in"]);
  });

  it("of a page whose clock was a day ahead, and which had no connection, does not end a later session of an open tab", async () => {
    const stage = scene(slow);
    const open = await stage.open();
    stage.clock.jump(DAY);
    const app = stage.start();
    void app.session.signOut();
    app.tab.crash();
    stage.clock.jump(-DAY);
    await stage.clock.advance(2 * SECOND);
    await stage.clock.until(open.session.signIn(stage.server.signIn("grace")));
    await stage.clock.advance(2 * SECOND);
    expect([open.status(), (await stage.open()).status()]).toEqual(["signed-in", "signed-in"]);
  });

  it("does not refuse a sign-in on the next page, before that page has read storage", async () => {
    const stage = scene(slow);
    const app = await stage.signedIn();
    void app.session.signOut();
    app.tab.crash();
    await stage.clock.advance(SECOND);
    const next = stage.start();
    await stage.clock.until(next.session.signIn(stage.server.signIn("grace")));
    await stage.clock.advance(2 * SECOND);
    expect([next.status(), (await stage.open()).bare.getSnapshot().claims?.sub]).toEqual(["signed-in", "grace"]);
  });

  it("does not end the sign-in that follows it in the same task", async () => {
    const stage = scene(slow);
    const app = await stage.signedIn();
    void app.session.signOut();
    const again = app.session.signIn(stage.server.signIn("grace"));
    await stage.clock.until(again);
    await stage.clock.advance(2 * SECOND);
    expect([app.status(), (await stage.open()).status()]).toEqual(["signed-in", "signed-in"]);
  });

  it("that is not durable after 100 ms is told of once", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    let trouble: StoreTrouble = "hanging";
    stage.world.stores.trouble = () => trouble;
    for (const _ of "12") await stage.clock.until(app.session.signOut(), 101);
    expect(app.tab.reports.filter(({ message }) => message.startsWith("signOut:"))).toHaveLength(1);
    trouble = "none";
  });

  it("that is durable is not told of, although the tokens are not removed yet", async () => {
    const stage = scene({ world: { delays: { store: () => 30 } } });
    const app = await stage.signedIn();
    await stage.clock.until(app.session.signOut(), 101);
    expect(app.tab.reports).toEqual([]);
    expect(left(stage)).toContain('"refreshToken":');
    await stage.clock.advance(SECOND);
    expect(left(stage)).not.toContain('"refreshToken":');
  });
});
