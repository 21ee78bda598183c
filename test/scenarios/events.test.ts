import { describe, expect, it } from "vitest";
import { answers, down } from "../../src/testing/faults.js";
import type { DebugEvent } from "../../src/types/index.js";
import type { App } from "../support/app.js";
import { HOUR, MINUTE, SECOND, scene } from "../support/scene.js";

describe("listeners", () => {
  it.each(["getToken", "refresh", "signOut"] as const)("R7 X14 one that calls %s from inside an event does not deadlock", async (call) => {
    const stage = scene();
    const app = await stage.open();
    const settled: unknown[] = [];
    let calls = 0;
    for (const event of ["signed-in", "refreshed", "claims-changed", "signed-out"] as const) {
      app.bare.on(event, () => {
        calls += 1;
        if (calls > 6) return;
        void app.session[call]().then(
          (value) => settled.push(typeof value),
          (error: { code: string }) => settled.push(error.code),
        );
      });
    }
    await stage.clock.until(app.session.signIn(stage.server.signIn()));
    await stage.outcome(app.session.refresh(), 25_000);
    await stage.clock.advance(MINUTE);
    expect(calls).toBeGreaterThan(0);
    expect(settled).toHaveLength(Math.min(calls, 6));
    expect(stage.world.locks.names()).toEqual([]);
    expect(stage.server.stats.reused).toBe(0);
  });

  it("R7 R37 one that throws is reported, and stops neither the others nor the refresh", async () => {
    const stage = scene();
    const app = await stage.open();
    const heard: string[] = [];
    app.bare.on("refreshed", () => {
      throw new Error("listener's own");
    });
    app.bare.subscribe(() => {
      throw new Error("subscriber's own");
    });
    app.bare.on("refreshed", () => heard.push("second"));
    app.bare.subscribe(() => heard.push("subscriber"));
    await stage.clock.until(app.session.signIn(stage.server.signIn()));
    expect(await stage.clock.until(app.session.refresh())).toBe("refreshed");
    expect(heard).toContain("second");
    expect(heard).toContain("subscriber");
    expect(app.tab.reports.length).toBeGreaterThan(0);
    expect(await stage.call(app)).toBe(200);
    await stage.clock.advance(10);
    expect(stage.world.locks.names()).toEqual([]);
  });

  it("R7 user code never runs under the lock", async () => {
    const stage = scene();
    const app = await stage.open();
    const held: number[] = [];
    const look = () => held.push(stage.world.locks.runningIn(app.tab));
    for (const event of ["signed-in", "refreshed", "refresh-failed", "signed-out"] as const) app.bare.on(event, look);
    app.bare.subscribe(look);
    await stage.clock.until(app.session.signIn(stage.server.signIn()));
    stage.server.faults.push(down());
    await stage.outcome(app.session.refresh());
    await stage.clock.advance(10 * SECOND);
    await stage.clock.until(app.session.refresh());
    await stage.clock.until(app.session.signOut());
    expect(held.length).toBeGreaterThan(4);
    expect(held.filter((count) => count > 0)).toEqual([]);
  });

  it("R7 every throw releases the lock", async () => {
    const stage = scene();
    const app = await stage.signedIn({
      name: "app",
      refresh: () => {
        throw new Error("own bug");
      },
    });
    await stage.outcome(app.session.refresh());
    await stage.clock.advance(SECOND);
    expect(stage.world.locks.names()).toEqual([]);
  });

  it("R7 a debug hook that throws, or calls the session, is harmless", async () => {
    const stage = scene();
    const seen: string[] = [];
    const app = await stage.signedIn({
      debug: (event) => {
        seen.push(event.type);
        throw new Error("hook's own");
      },
    });
    expect(await stage.clock.until(app.session.refresh())).toBe("refreshed");
    expect(seen.length).toBeGreaterThan(0);
    expect(app.tab.reports.length).toBe(seen.length);
  });

  it("can be undone, also from inside themselves", async () => {
    const stage = scene();
    const app = await stage.open();
    const heard: string[] = [];
    const undo = app.bare.on("signed-in", () => {
      heard.push("once");
      undo();
    });
    const stop = app.bare.subscribe(() => {
      heard.push("snapshot");
      stop();
    });
    await stage.clock.until(app.session.signIn(stage.server.signIn()));
    await stage.clock.until(app.session.signOut());
    await stage.clock.until(app.session.signIn(stage.server.signIn()));
    expect(heard.sort()).toEqual(["once", "snapshot"]);
  });
});

describe("the snapshot", () => {
  it("R37 keeps its identity while nothing changes, and nobody is called", async () => {
    const stage = scene({ session: { lead: 5 * MINUTE } });
    const app = await stage.signedIn();
    const snapshot = app.bare.getSnapshot();
    let calls = 0;
    app.bare.subscribe(() => {
      calls += 1;
    });
    for (const signal of ["wake", "online", "hide", "show"] as const) app.tab.signal(signal);
    await stage.clock.until(app.session.getToken());
    await stage.call(app);
    await stage.clock.advance(MINUTE);
    expect([app.bare.getSnapshot() === snapshot, calls]).toEqual([true, 0]);
  });

  it("R37 a renewal is never shown as loading or signed out, and claims that are the same keep their identity", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const sibling = await stage.open();
    const seen = new Set<string>();
    const { claims } = app.bare.getSnapshot();
    for (const one of [app, sibling]) one.bare.subscribe(() => seen.add(one.bare.getSnapshot().status));
    await stage.clock.advance(3 * HOUR);
    expect([...seen]).toEqual(["signed-in"]);
    expect(app.count("claims-changed")).toBe(0);
    expect(app.bare.getSnapshot().claims?.sub).toBe(claims?.sub);
  });

  it("R37 a renewal calls subscribers once in each tab, though the ledger is written twice", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const sibling = await stage.open();
    const calls = [0, 0];
    for (const [index, one] of [app, sibling].entries()) one.bare.subscribe(() => (calls[index] = (calls[index] ?? 0) + 1));
    await stage.clock.until(app.session.refresh());
    await stage.clock.advance(SECOND);
    expect(calls).toEqual([1, 1]);
  });

  it("R37 tells when the claims change", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const sibling = await stage.open();
    Object.assign(stage.server.grants.options.claims, { roles: ["admin"] });
    await stage.clock.until(app.session.refresh());
    await stage.clock.advance(SECOND);
    for (const one of [app, sibling]) {
      expect(one.payloads("claims-changed")).toMatchObject([{ before: { sub: "ada" }, after: { sub: "ada", roles: ["admin"] } }]);
      expect(one.count("user-changed")).toBe(0);
    }
  });

  it("starts as restoring, and then is signed out without a reason", async () => {
    const stage = scene();
    const app = stage.start();
    expect(app.bare.getSnapshot()).toMatchObject({
      status: "restoring",
      claims: null,
      expiresAt: null,
      refreshDueAt: null,
      degraded: false,
    });
    await stage.clock.until(app.session.ready);
    expect(app.bare.getSnapshot().status).toBe("signed-out");
    expect("reason" in app.bare.getSnapshot() && app.bare.getSnapshot().reason !== undefined).toBe(false);
    expect(app.events()).toEqual([]);
  });

  it("cannot be changed by who reads it, claims and all", async () => {
    const stage = scene({ server: { claims: { roles: ["reader"] } } });
    const app = await stage.signedIn();
    const { claims } = app.bare.getSnapshot();
    expect(() => Object.assign(app.bare.getSnapshot(), { status: "hacked" })).toThrow(TypeError);
    expect(() => Object.assign(claims ?? {}, { sub: "mallory" })).toThrow(TypeError);
    expect(() => (claims as { roles: string[] }).roles.push("admin")).toThrow(TypeError);
    expect(app.bare.getSnapshot()).toMatchObject({ status: "signed-in", claims: { sub: "ada", roles: ["reader"] } });
  });
});

describe("what is told about failures", () => {
  it("R39 every failure has a code, a status and an attempt number", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    await stage.clock.sleep(2 * HOUR);
    stage.server.fault = down(502);
    app.tab.signal("wake");
    await stage.clock.advance(8 * MINUTE);
    const failed = app.payloads("refresh-failed");
    expect(failed.length).toBeGreaterThanOrEqual(3);
    for (const [index, { error, attempt, retryAt }] of failed.entries()) {
      expect(error).toMatchObject({ name: "SessionError", code: "server", status: 502, attempt: index + 1 });
      expect(attempt).toBe(index + 1);
      expect(retryAt).toBeGreaterThan(stage.clock.now() - 9 * MINUTE);
    }
  });

  it("R39 the debug hook sees the decisions of a refresh, each with a type, a time and the tab", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.faults.push(answers(400, { error: "temporarily_unavailable" }));
    await stage.outcome(app.session.refresh());
    await stage.clock.advance(HOUR);
    const types = app.debug.map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(["refresh-started", "refresh-failed", "refresh-committed"]));
    for (const event of app.debug)
      expect(event).toMatchObject({
        type: expect.any(String) as string,
        at: expect.any(Number) as number,
        tab: expect.any(String) as string,
      });
    expect(new Set(app.debug.map(({ tab }) => tab)).size).toBe(1);
  });

  it("R39 the debug hook says who is refreshing, who committed which version, and does so in the tabs that adopt", async () => {
    const stage = scene();
    const holder = await stage.signedIn();
    const other = await stage.open();
    await stage.clock.until(holder.session.refresh());
    await stage.clock.advance(50);
    const { tab } = holder.debug.at(-1)!;
    const seen = other.debug
      .filter(({ type }) => type === "ledger-changed")
      .map(({ version, by, refreshing }) => ({ version, by, refreshing }));
    expect(seen.at(-1)).toEqual({ version: 2, by: tab, refreshing: undefined });
    expect(holder.debug).toContainEqual(expect.objectContaining({ type: "ledger-changed", version: 1, refreshing: tab }));
  });

  it("R39 a session that is there already lets its decisions be heard, as the debug hook does", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const from = app.debug.length;
    const heard: DebugEvent[] = [];
    const undo = app.bare.on("debug", (event) => heard.push(event));
    await stage.clock.until(app.session.refresh());
    const count = heard.length;
    undo();
    expect(heard).toEqual(app.debug.slice(from));
    await stage.clock.advance(2 * SECOND);
    await stage.clock.until(app.session.refresh());
    expect([count > 0, heard.length]).toEqual([true, count]);
  });

  it("R39 each refresh that was wanted is told to be over, in the tab that did it, in the one that waited, and when nobody could", async () => {
    const stage = scene();
    const [holder, other] = [await stage.signedIn(), await stage.open()];
    const told = (app: App) => app.debug.filter(({ type }) => type === "refresh-settled").map(({ outcome }) => outcome);
    await stage.clock.until(Promise.all([holder.session.refresh(), other.session.refresh()]));
    await stage.clock.advance(2 * SECOND);
    stage.server.faults.push(answers(503));
    await stage.outcome(holder.session.refresh());
    expect([told(holder), told(other)]).toEqual([["refreshed", "server"], ["adopted"]]);
    const wanted = holder.debug.filter(({ type }) => type === "refresh-wanted");
    expect(wanted.length).toBe(2);
  });

  it("R39 a call that is sent again is told of with what refused it, and since when it had waited", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.grants.expireAccessTokens();
    const before = stage.clock.now();
    expect(await stage.call(app)).toBe(200);
    const resent = app.debug.filter(({ type }) => type === "request-resent");
    expect(resent).toEqual([expect.objectContaining({ status: 401, since: expect.any(Number) as number })]);
    const { since, at } = resent[0] as DebugEvent & { since: number };
    expect([since > before, at > since, at <= stage.clock.now()]).toEqual([true, true, true]);
  });

  it("R39 no token is in an error, even when the server echoes it in its answer", async () => {
    const stage = scene();
    const tokens = stage.server.signIn();
    const app = await stage.signedIn({}, tokens);
    const echo = `no such token: ${tokens.refresh_token} ${tokens.access_token}`;
    for (const fault of [
      answers(400, { error: "invalid_request", error_description: echo }),
      { processed: false, instead: { status: 500, headers: { "content-type": "text/plain" }, body: echo } },
      answers(200, { echo }),
      answers(400, { error: echo }),
      answers(200, { access_token: `${tokens.access_token} with a space` }),
    ]) {
      stage.server.faults.push(fault);
      await stage.outcome(app.session.refresh());
      await stage.clock.advance(MINUTE);
    }
    expect(app.failures.length).toBeGreaterThan(2);
    // The scene looks for the tokens in every failure, event, debug event and report.
  });
});
