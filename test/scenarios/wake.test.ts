import { describe, expect, it } from "vitest";
import { down } from "../../src/testing/faults.js";
import type { PageSignal } from "../../src/types/environment.js";
import { HOUR, MINUTE, SECOND, scene } from "../support/scene.js";

describe("sleep and wake", () => {
  it.each(["wake", "online", "show"] satisfies PageSignal[])("R15 on %s an expired token is renewed at once", async (signal) => {
    const stage = scene({ http: true });
    const app = await stage.signedIn();
    await stage.clock.sleep(5 * HOUR);
    app.tab.signal(signal);
    await stage.clock.advance(SECOND);
    expect([stage.server.stats.refreshes, stage.serial(app)]).toEqual([1, 2]);
  });

  it("R15 eight windows that wake together send one refresh", async () => {
    const stage = scene();
    const first = await stage.signedIn();
    const apps = [first];
    while (apps.length < 8) apps.push(await stage.open());
    await stage.clock.sleep(5 * HOUR);
    for (const { tab } of apps) tab.signal("wake");
    for (const { tab } of apps) tab.signal("online");
    await stage.clock.advance(5 * SECOND);
    expect(stage.server.stats).toMatchObject({ attempts: 1, refreshes: 1, reused: 0 });
    expect(apps.map((app) => stage.serial(app))).toEqual(apps.map(() => 2));
  });

  it("R15 a clock that jumps forward past expiry is noticed without any signal", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.clock.jump(3 * HOUR);
    await stage.clock.advance(MINUTE);
    expect(stage.server.stats.refreshes).toBe(1);
    expect(app.status()).toBe("signed-in");
  });

  it("R15 timers that the sleep made late do not make a second refresh", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    await stage.clock.sleep(5 * HOUR, { counted: true });
    app.tab.signal("wake");
    app.tab.signal("wake");
    await stage.clock.advance(10 * SECOND);
    expect(stage.server.stats.attempts).toBe(1);
  });

  it("R15 signals while the token is fresh cost nothing", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    for (const signal of ["wake", "online", "show", "wake"] as const) app.tab.signal(signal);
    await stage.clock.advance(SECOND);
    expect(stage.server.stats.attempts).toBe(0);
  });

  it("shows an expired token to nobody while it renews", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    await stage.clock.sleep(5 * HOUR);
    expect(app.bare.peekToken()).toBeNull();
    const token = await stage.clock.until(app.session.getToken());
    expect(stage.server.grants.serialOf(token)).toBe(2);
  });
});

describe("a token that another tab got, and that has died since", () => {
  it("R15 is no answer to getToken: a new one is fetched", async () => {
    const stage = scene();
    const first = await stage.signedIn();
    const second = await stage.open();
    second.tab.freeze();
    await stage.clock.until(first.session.refresh());
    await stage.clock.advance(SECOND);
    await stage.clock.sleep(2 * HOUR);
    first.tab.freeze();
    second.tab.thaw();
    const token = await stage.clock.until(second.session.getToken());
    expect([stage.server.grants.serialOf(token), stage.server.grants.check(token ?? "")]).toEqual([3, expect.any(Object)]);
  });
});

describe("offline", () => {
  it("R18 X8 offline for 44 s at renewal: signed in all the time, renewed when back", async () => {
    const stage = scene({ server: { accessSeconds: 60 }, session: { lead: 10 * SECOND } });
    const app = await stage.signedIn();
    await stage.clock.advance(49 * SECOND);
    stage.world.network.offline = true;
    await stage.clock.advance(44 * SECOND);
    expect(app.status()).toBe("signed-in");
    expect(app.bare.getSnapshot().degraded).toBe(true);
    expect(app.count("refresh-failed")).toBeGreaterThan(0);
    stage.world.network.offline = false;
    app.tab.signal("online");
    await stage.clock.advance(2 * SECOND);
    expect([app.status(), stage.serial(app), app.bare.getSnapshot().degraded]).toEqual(["signed-in", 2, false]);
    expect(stage.server.stats).toMatchObject({ refreshes: 1, reused: 0 });
  });

  it("R18 an hour offline makes few attempts, no request waits for ever, and nobody is signed out", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.world.network.offline = true;
    await stage.clock.sleep(2 * HOUR);
    app.tab.signal("wake");
    expect(await stage.outcome(app.session.getToken(), 26_000)).toBe("network");
    const before = stage.world.network.sent.length;
    await stage.clock.advance(HOUR);
    const attempts = stage.world.network.sent.length - before;
    expect(attempts).toBeGreaterThan(10);
    expect(attempts).toBeLessThan(60);
    expect(app.status()).toBe("signed-in");
    stage.world.network.offline = false;
    // Nobody said that the network is back: who calls need not wait for the scheduler.
    await stage.clock.advance(MINUTE);
    expect(await stage.outcome(app.session.getToken())).not.toBe("network");
    expect(stage.serial(app)).toBe(2);
  });

  it("F15 a request of the app fails as fetch fails", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.world.network.offline = true;
    const failed = app.session.fetch("https://api.example.test/me").catch((error: unknown) => error);
    expect(await stage.clock.until(failed)).toBeInstanceOf(TypeError);
    expect(stage.server.stats.attempts).toBe(0);
  });

  it("X7 one 503, then healthy: renewed before the token dies", async () => {
    const stage = scene({ http: true });
    const app = await stage.signedIn();
    stage.server.faults.push(down());
    await stage.clock.advance(59 * MINUTE);
    expect([app.count("refresh-failed"), stage.serial(app), app.status()]).toEqual([1, 2, "signed-in"]);
    expect(stage.server.stats.attempts).toBe(2);
  });
});
