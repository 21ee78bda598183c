import { afterEach, describe, expect, it, vi } from "vitest";
import { traceToPerformancePanel } from "../../src/devtools.js";
import { answers, slow } from "../../src/testing/faults.js";
import type { App } from "../support/app.js";
import { SECOND, scene } from "../support/scene.js";
import { expectNoSecret } from "../support/secrets.js";

interface Traced {
  name: string;
  start: number;
  duration: number;
  devtools: { dataType: string; track: string; color: string; tooltipText: string; properties: [string, string][] };
}

const traced = (): Traced[] =>
  performance
    .getEntriesByType("measure")
    .map((entry) => entry as PerformanceMeasure)
    .map(({ name, startTime, duration, detail }) => ({ name, start: startTime, duration, devtools: detail.devtools }));

/** The page's own clock, as the session of the scene sees it: what is written is in the page's time. */
function follow(app: App): void {
  vi.spyOn(Date, "now").mockImplementation(() => app.tab.environment.now());
  vi.spyOn(performance, "now").mockImplementation(() => app.tab.environment.monotonic() + 1_000_000);
}

describe("the track in the performance panel", () => {
  afterEach(() => {
    vi.restoreAllMocks();
    performance.clearMeasures();
  });

  it("has a refresh, with the wait for the lock before it, as long as they took", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    follow(app);
    const undo = traceToPerformancePanel(app.bare);
    stage.server.faults.push(slow(700));
    await stage.clock.until(app.session.refresh());
    undo();
    const [wait, refresh] = traced();
    expect([wait?.name, refresh?.name]).toEqual(["tokentide: wait for the lock", "tokentide: refresh"]);
    expect(refresh?.devtools).toMatchObject({
      dataType: "track-entry",
      track: "tokentide",
      color: "primary",
      tooltipText: "refresh, refreshed, requested, 1",
    });
    expect(refresh?.devtools.properties).toContainEqual(["cause", "requested"]);
    expect(refresh?.duration).toBeGreaterThan(700);
    expect(refresh?.duration).toBeLessThan(900);
    expect(Math.abs((refresh?.start ?? 0) - (wait?.start ?? 0) - (wait?.duration ?? 0))).toBeLessThan(1);
  });

  it("has a wait for another tab's refresh, and the failure of one", async () => {
    const stage = scene();
    const [holder, other] = [await stage.signedIn(), await stage.open()];
    follow(other);
    traceToPerformancePanel(other.bare);
    await stage.clock.until(Promise.all([holder.session.refresh(), other.session.refresh()]));
    await stage.clock.advance(2 * SECOND);
    stage.server.faults.push(answers(503));
    await stage.outcome(other.session.refresh());
    expect(traced().map(({ name, devtools }) => `${name} ${devtools.color}: ${devtools.tooltipText}`)).toEqual([
      "tokentide: wait for the lock secondary-light: wait for the lock, adopted, requested",
      "tokentide: wait for the lock secondary-light: wait for the lock, requested",
      "tokentide: refresh error: refresh, server, requested, 1",
    ]);
  });

  it("R39 has a call that was sent again, from its refusal on, and no token", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    follow(app);
    const undo = traceToPerformancePanel(app.bare);
    stage.server.grants.expireAccessTokens();
    expect(await stage.call(app)).toBe(200);
    const resend = traced().find(({ name }) => name === "tokentide: resend");
    expect(resend?.devtools.tooltipText).toBe("resend, 401");
    expect(resend?.duration).toBeGreaterThan(0);
    expectNoSecret(stage.server.grants.secrets, traced(), "the performance timeline");
    undo();
    const count = traced().length;
    await stage.clock.advance(2 * SECOND);
    await stage.clock.until(app.session.refresh());
    expect(traced().length).toBe(count);
  });

  it("is not there where there is no such timeline", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    vi.stubGlobal("performance", undefined);
    try {
      expect(traceToPerformancePanel(app.bare)()).toBeUndefined();
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
