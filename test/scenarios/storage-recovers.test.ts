import { describe, expect, it } from "vitest";
import { memory } from "../../src/index.js";
import { HOUR, MINUTE, type SceneOptions, SECOND, scene as set } from "../support/scene.js";

/** Without storage, tabs hand each other the access token. */
const scene = (options: SceneOptions = {}) => set({ shares: true, ...options });

describe("storage that failed and answers again: the former user does not come back", () => {
  it.each(["full", "denied"] as const)("R26 after a sign-out while it was %s", async (trouble) => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.world.stores.trouble = () => trouble;
    await stage.clock.until(app.session.signOut());
    await stage.clock.advance(5 * SECOND);
    stage.world.stores.trouble = () => "none";
    app.tab.signal("wake");
    await stage.clock.advance(SECOND);
    app.tab.close();
    const next = await stage.open();
    expect(next.status()).toMatch(/^signed-out/);
    await stage.clock.advance(2 * HOUR);
    expect(stage.server.stats.attempts).toBe(0);
  });

  it.each(["full", "denied"] as const)("R26 after another one's sign-in while it was %s", async (trouble) => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.world.stores.trouble = () => trouble;
    await stage.clock.until(app.session.signIn(stage.server.signIn("grace")));
    await stage.clock.advance(SECOND);
    stage.world.stores.trouble = () => "none";
    app.tab.signal("wake");
    await stage.clock.advance(SECOND);
    const sibling = await stage.open();
    expect(sibling.bare.getSnapshot().claims).toMatchObject({ sub: "grace" });
    for (const { tab } of [sibling, app]) tab.close();
    const reopened = await stage.open();
    await stage.clock.advance(MINUTE);
    expect(reopened.bare.getSnapshot().claims?.sub).not.toBe("ada");
  });

  it("R26 after a sign-out that came when the tab had long given up on storage", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.world.stores.trouble = () => "denied";
    await stage.clock.until(app.session.refresh());
    stage.world.stores.trouble = () => "none";
    await stage.clock.until(app.session.signOut());
    app.tab.signal("wake");
    await stage.clock.advance(SECOND);
    app.tab.close();
    expect((await stage.open()).status()).toMatch(/^signed-out/);
  });
});

describe("storage that fails in one tab alone", () => {
  it("R10 R26 where access tokens are not shared, it does not ask for them for ever", async () => {
    const stage = scene({ shares: false, session: { persist: memory({ shareAccessToken: false }) } });
    const app = await stage.signedIn();
    stage.world.stores.trouble = (tab) => (tab === app.tab ? "none" : "denied");
    await stage.open();
    await stage.clock.until(app.session.refresh());
    await stage.clock.advance(10 * MINUTE);
    expect(stage.world.channels.posted.length).toBeLessThan(100);
  });
});
