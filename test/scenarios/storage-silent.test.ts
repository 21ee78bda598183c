import { describe, expect, it } from "vitest";
import type { Store } from "../../src/types/environment.js";
import { HOUR, MINUTE, SECOND, scene } from "../support/scene.js";

describe("R88 storage that stops answering in mid-session", () => {
  it("is told of once, fails each refresh with `storage` in seconds, sends nothing meanwhile, and recovers", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    await stage.clock.sleep(2 * HOUR);
    stage.world.stores.trouble = (tab) => (tab === app.tab ? "hanging" : "none");
    const since = stage.clock.monotonic();
    for (const _ of "123") expect(await stage.outcome(app.session.getToken())).toBe("storage");
    expect(stage.clock.monotonic() - since).toBeLessThan(3 * 6.1 * SECOND);
    expect(app.payloads("refresh-failed").map(({ error }) => error.code)).toEqual(["storage"]);
    expect([app.status(), stage.server.stats.attempts, app.tab.reports.length]).toEqual(["signed-in", 0, 1]);

    const sibling = await stage.open();
    await stage.clock.until(sibling.session.getToken());
    stage.world.stores.trouble = () => "none";
    await stage.clock.advance(2 * MINUTE);
    expect([stage.serial(app), app.status()]).toEqual([2, "signed-in"]);
    stage.world.stores.trouble = (tab) => (tab === app.tab ? "hanging" : "none");
    expect(await stage.outcome(app.session.refresh())).toBe("storage");
    expect([app.tab.reports.length, stage.server.stats.reused]).toEqual([2, 0]);
    stage.world.stores.trouble = () => "none";
  });

  it("over a connection that is lost gets a new one, and the call its token", async () => {
    const stage = scene();
    let lost = false;
    const tab = stage.world.tab();
    const open = tab.environment.openStore!;
    const openStore = (name: string): Store => {
      const store = open(name);
      return {
        ...store,
        transact: (...use) => lost || store.transact(...use),
        read: (...use) => lost || store.read(...use),
        close(leaving) {
          lost = false;
          store.close(leaving);
        },
      };
    };
    const app = await stage.open({ environment: { ...tab.environment, openStore } }, { tab });
    await stage.clock.until(app.session.signIn(stage.server.signIn()));
    await stage.clock.sleep(2 * HOUR);
    lost = true;
    expect(stage.server.grants.serialOf((await stage.outcome(app.session.getToken(), 6 * SECOND)) as string)).toBe(2);
    expect([app.count("refresh-failed"), app.tab.reports.length]).toEqual([0, 1]);
  });

  it("does not count the time for which the page stands still", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    await stage.clock.sleep(2 * HOUR);
    stage.world.stores.trouble = () => "hanging";
    const token = app.session.getToken().catch(() => {});
    await stage.clock.advance(2 * SECOND);
    app.tab.freeze();
    await stage.clock.advance(MINUTE);
    app.tab.thaw();
    await stage.clock.advance(SECOND);
    expect(app.tab.reports).toEqual([]);
    await stage.clock.advance(3 * SECOND);
    expect(app.tab.reports).toHaveLength(1);
    await stage.clock.until(token);
    stage.world.stores.trouble = () => "none";
  });

  it("keeps no other tab from its lock", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const sibling = await stage.open();
    await stage.clock.sleep(2 * HOUR);
    stage.world.stores.trouble = (tab) => (tab === app.tab ? "hanging" : "none");
    const token = app.session.getToken().catch(() => {});
    await stage.clock.advance(SECOND);
    const renewed = await stage.clock.until(sibling.session.getToken(), 7 * SECOND);
    expect(stage.server.grants.serialOf(renewed)).toBe(2);
    await stage.clock.until(token);
    stage.world.stores.trouble = () => "none";
  });
});

describe("R87 storage that does not answer at the opening", () => {
  it("counts only the time for which the page is awake", async () => {
    const stage = scene();
    const first = await stage.signedIn();
    first.tab.close();
    stage.world.stores.trouble = () => "hanging";
    const app = stage.start();
    await stage.clock.advance(4 * SECOND);
    app.tab.freeze();
    await stage.clock.advance(MINUTE);
    app.tab.thaw();
    await stage.clock.advance(5 * SECOND);
    expect(app.status()).toBe("restoring");
    await stage.clock.advance(2 * SECOND);
    expect(app.status()).toBe("signed-out: storage-unavailable");
    stage.world.stores.trouble = () => "none";
    await stage.clock.advance(MINUTE);
    expect(app.status()).toBe("signed-in");
  });
});
