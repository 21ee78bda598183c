import { describe, expect, it } from "vitest";
import { revokingStrategy, SECOND, scene } from "../support/scene.js";

describe("the first moment of a page", () => {
  it("R38 signOut before the restore ends the stored session in every tab, and revokes it", async () => {
    const stage = scene({ session: { refresh: revokingStrategy() } });
    const sibling = await stage.signedIn();
    const app = stage.start();
    await stage.clock.until(app.session.signOut());
    await stage.clock.advance(SECOND);
    expect([app.status(), sibling.status(), (await stage.open()).status()]).toEqual([
      "signed-out: user",
      "signed-out: user",
      "signed-out: user",
    ]);
    expect(stage.server.stats.revocations).toBe(1);
  });

  it("signIn before the restore wins over what was stored, in every tab", async () => {
    const stage = scene();
    const sibling = await stage.signedIn();
    const app = stage.start();
    await stage.clock.until(app.session.signIn(stage.server.signIn("grace")));
    await stage.clock.until(app.session.ready);
    await stage.clock.advance(SECOND);
    expect([stage.serial(app), stage.serial(sibling), sibling.count("user-changed")]).toEqual([2, 2, 1]);
  });

  it("R25 signIn right after signOut in one task stays signed in; signOut right after signIn stays signed out", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    await stage.clock.until(Promise.all([app.session.signOut(), app.session.signIn(stage.server.signIn("grace"))]));
    await stage.clock.advance(SECOND);
    expect([app.status(), stage.serial(app)]).toEqual(["signed-in", 2]);
    await stage.clock.until(Promise.all([app.session.signIn(stage.server.signIn("ada")), app.session.signOut()]));
    await stage.clock.advance(SECOND);
    expect([app.status(), stage.serial(app), (await stage.open()).bare.peekToken()]).toEqual(["signed-out: user", null, null]);
  });

  it("dispose before the restore: ready settles, nothing is heard, and nothing is left behind", async () => {
    const stage = scene();
    await stage.signedIn();
    const app = stage.start();
    app.session.dispose();
    await stage.clock.until(app.session.ready, 3_000);
    await stage.clock.advance(SECOND);
    expect([app.events(), stage.world.leftovers(app.tab)]).toEqual([
      [],
      { timers: 0, listeners: 0, channels: 0, connections: 0, locks: 0 },
    ]);
  });
});

describe("another user", () => {
  it("R38 signs in: the other tabs stay signed in, as that user, with one user-changed event", async () => {
    const stage = scene();
    const first = await stage.signedIn();
    const others = [await stage.open(), await stage.open()];
    await stage.clock.until(first.session.signIn(stage.server.signIn("grace")));
    await stage.clock.advance(SECOND);
    for (const app of [first, ...others]) {
      expect([app.status(), stage.serial(app)]).toEqual(["signed-in", 2]);
      expect(app.payloads("user-changed")).toMatchObject([{ before: { sub: "ada" }, after: { sub: "grace" } }]);
      expect(app.count("signed-out")).toBe(0);
    }
  });

  it("the same user signing in again changes no user", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const sibling = await stage.open();
    await stage.clock.until(app.session.signIn(stage.server.signIn("ada")));
    await stage.clock.advance(SECOND);
    expect([app.count("user-changed"), sibling.count("user-changed"), sibling.status(), stage.serial(sibling)]).toEqual([
      0,
      0,
      "signed-in",
      2,
    ]);
  });

  it("signs in after a sign-out in another tab: everybody is that user", async () => {
    const stage = scene();
    const first = await stage.signedIn();
    const second = await stage.open();
    await stage.clock.until(first.session.signOut());
    await stage.clock.advance(SECOND);
    await stage.clock.until(second.session.signIn(stage.server.signIn("grace")));
    await stage.clock.advance(SECOND);
    expect([first.status(), first.bare.getSnapshot().claims?.sub, first.count("signed-in")]).toEqual(["signed-in", "grace", 2]);
  });
});
