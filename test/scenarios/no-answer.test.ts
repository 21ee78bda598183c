import { describe, expect, it } from "vitest";
import { down, type Fault, gatewayTimeout, hangs, hangsAfterRotating, lostAnswer, stalledBody } from "../../src/testing/faults.js";
import { HOUR, MINUTE, type SceneOptions, SECOND, scene } from "../support/scene.js";

describe("no answer", () => {
  const STALLS: [string, Fault][] = [
    ["headers", hangs],
    ["headers, after it was carried out", hangsAfterRotating],
    ["body", stalledBody],
  ];

  /** Three callers of one tab, whose refresh stalls. The server would take the used refresh token again. */
  async function stalled(fault: Fault, session: SceneOptions["session"] = {}) {
    const stage = scene({ http: true, server: { grace: HOUR }, session });
    const app = await stage.signedIn();
    await stage.clock.sleep(2 * HOUR);
    stage.server.faults.push(fault);
    const before = stage.clock.monotonic();
    const waiters = Promise.all([1, 2, 3].map(() => app.session.getToken().catch((error: { code: string }) => error.code)));
    expect(await stage.clock.until(waiters, 30_000)).toEqual(["timeout", "timeout", "timeout"]);
    expect(stage.clock.monotonic() - before).toBeLessThan(11_000);
    expect(app.status()).toBe("signed-in");
    return { stage, app };
  }

  it.each(STALLS)(
    "R22 X4 a refresh that stalls in its %s frees everybody at the deadline, and a call after it tries again",
    async (_, fault) => {
      const { stage, app } = await stalled(fault);
      await stage.clock.advance(5 * SECOND);
      expect([await stage.call(app), stage.server.stats.attempts]).toEqual([401, 1]);
      await stage.clock.advance(15 * SECOND + 100);
      expect([await stage.call(app), stage.server.stats.attempts]).toEqual([200, 2]);
    },
  );

  it.each(STALLS)("R22 X4 with a reuseGrace, after one that stalls in its %s the next call tries again at once", async (_, fault) => {
    const { stage, app } = await stalled(fault, { reuseGrace: HOUR });
    await stage.clock.advance(5 * SECOND);
    expect([await stage.call(app), stage.server.stats.attempts]).toEqual([200, 2]);
  });

  it.each([
    [0, 30],
    [15_000, 10],
  ])(
    "R22 R39 with a reuseGrace of %d, an attempt without an answer is one failure, also when its request is aborted after %d s",
    async (reuseGrace, seconds) => {
      const stage = scene({ session: { reuseGrace } });
      const app = await stage.signedIn();
      stage.server.faults.push(hangs);
      const start = stage.clock.monotonic();
      expect(await stage.outcome(app.session.refresh())).toBe("timeout");
      await stage.clock.advance(start + seconds * SECOND + 500 - stage.clock.monotonic());
      expect(app.payloads("refresh-failed")).toMatchObject([{ error: { code: "timeout" }, attempt: 1 }]);
      expect(app.debug.filter(({ type }) => type === "refresh-failed")).toHaveLength(1);
      expect(stage.server.stats.attempts).toBe(1);
      await stage.clock.advance(2 * SECOND);
      expect(stage.server.stats.attempts).toBe(2);
    },
  );

  it("R22 the deadline is the user's to set", async () => {
    const stage = scene({ session: { refreshTimeout: 2_000 } });
    const app = await stage.signedIn();
    await stage.clock.sleep(2 * HOUR);
    stage.server.fault = hangs;
    const before = stage.clock.monotonic();
    expect(await stage.outcome(app.session.getToken())).toBe("timeout");
    expect(stage.clock.monotonic() - before).toBeLessThan(2_500);
  });

  it.each([
    ["a network error", lostAnswer, 0, 0],
    ["a time-out", hangsAfterRotating, 0, 30],
    ["a time-out, with a reuseGrace", hangsAfterRotating, 15_000, 10],
  ])(
    "R23 an answer lost by %s: one retry within 2 s of its end; its refusal is reported as a possibly lost rotation",
    async (_, fault, reuseGrace, seconds) => {
      const stage = scene({ session: { lead: 10 * MINUTE, reuseGrace } });
      const app = await stage.signedIn();
      stage.server.faults.push(fault);
      await stage.clock.advance(50 * MINUTE + seconds * SECOND + 5 * SECOND);
      const [sent, retried] = stage.server.tokenCalls;
      const pause = (retried?.at ?? 0) - (sent?.at ?? 0) - seconds * SECOND;
      expect(pause).toBeGreaterThanOrEqual(950);
      expect(pause).toBeLessThanOrEqual(2_100);
      expect(stage.server.stats).toMatchObject({ attempts: 2, reused: 1 });
      await stage.clock.advance(10 * MINUTE);
      expect(app.payloads("signed-out")).toMatchObject([{ reason: "rejected", possiblyLostRotation: true, error: { code: "rejected" } }]);
    },
  );

  it("R23 with a grace period of the server the retry saves the session", async () => {
    const stage = scene({ session: { lead: 10 * MINUTE }, server: { grace: 10_000 } });
    const app = await stage.signedIn();
    stage.server.faults.push(lostAnswer);
    await stage.clock.advance(50 * MINUTE + 5 * SECOND);
    expect([app.status(), stage.serial(app), stage.server.stats.reused]).toEqual(["signed-in", 3, 0]);
  });

  it.each([
    ["503", down()],
    ["504", gatewayTimeout],
  ])("R23 after a %s there is no quick retry", async (_, fault) => {
    const stage = scene({ session: { lead: 10 * MINUTE } });
    await stage.signedIn();
    stage.server.faults.push(fault);
    await stage.clock.advance(50 * MINUTE + 20 * SECOND);
    expect(stage.server.stats.attempts).toBe(1);
  });
});

describe("half an answer", () => {
  it("R23 R39 a body that breaks off is a lost answer: the rotation may have happened", async () => {
    const stage = scene();
    await stage.signedIn();
    const tab = stage.world.tab();
    const broken = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"access_'));
        controller.error(new TypeError("terminated"));
      },
    });
    const environment = { ...tab.environment, fetch: async () => new Response(broken, { status: 200 }) };
    const app = await stage.open({ environment }, { tab });
    const asked = stage.clock.now();
    expect(await stage.outcome(app.session.refresh())).toBe("network");
    await stage.clock.advance(100);
    expect(app.failures).toMatchObject([{ code: "network", lost: true }]);
    expect((app.payloads("refresh-failed")[0]?.retryAt ?? 0) - asked).toBeLessThanOrEqual(2_100);
  });

  it("R23 an answer that is lost after a 503 is tried again within 2 s all the same", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.faults.push(down(), lostAnswer);
    await stage.outcome(app.session.refresh());
    await stage.clock.advance(3 * SECOND);
    await stage.outcome(app.session.refresh());
    await stage.clock.advance(3 * SECOND);
    expect(stage.server.stats.attempts).toBe(3);
  });
});

describe("late deadlines", () => {
  it.each(["as-due", "timers-first"] as const)(
    "R45 an answer that arrived while the main thread was blocked wins, catching up %s",
    async (catchUp) => {
      const stage = scene();
      const app = await stage.signedIn();
      app.tab.catchUp = catchUp;
      stage.server.latency = { before: () => 500, after: () => 500 };
      const refreshed = app.session.refresh();
      await stage.clock.advance(600);
      app.tab.block(15 * SECOND);
      expect(await stage.outcome(refreshed)).toBe("refreshed");
      expect([stage.serial(app), stage.server.stats.refreshes, app.status()]).toEqual([2, 1, "signed-in"]);
      await stage.clock.advance(HOUR);
      expect(stage.server.stats.reused).toBe(0);
    },
  );

  it("R45 a device that slept through the deadline keeps the answer", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.latency = { before: () => 500, after: () => 500 };
    const refreshed = app.session.refresh();
    await stage.clock.advance(600);
    await stage.clock.sleep(HOUR / 2, { counted: true });
    expect(await stage.outcome(refreshed)).toBe("refreshed");
    expect(stage.server.stats).toMatchObject({ refreshes: 1, reused: 0 });
  });
});
