import { describe, expect, it } from "vitest";
import { down } from "../../src/testing/faults.js";
import { HOUR, SECOND, scene, strategy } from "../support/scene.js";

describe("an own refresh function", () => {
  it("J6 that throws synchronously: a failed attempt, and a rejection for who asked", async () => {
    const stage = scene();
    const app = await stage.signedIn({
      name: "app",
      refresh: () => {
        throw new Error("own bug");
      },
    });
    expect(await stage.outcome(app.session.refresh())).toBe("refresh-function");
    expect(app.payloads("refresh-failed")[0]?.error).toMatchObject({ code: "refresh-function", cause: { message: "own bug" } });
    expect(app.status()).toBe("signed-in");
  });

  it("J13 may return a string, or a promise of one", async () => {
    const stage = scene();
    const app = await stage.signedIn({ name: "app", refresh: async () => stage.server.signIn().access_token });
    expect(await stage.clock.until(app.session.refresh())).toBe("refreshed");
    expect(stage.serial(app)).toBe(2);
  });

  it("gets the tokens, the cause, the attempt, a signal and a guarded fetch", async () => {
    const stage = scene();
    const seen: unknown[] = [];
    const own = strategy();
    const app = await stage.signedIn({
      name: "app",
      refresh: (context) => {
        seen.push([typeof context.tokens.refreshToken, context.cause, context.attempt, context.signal.aborted]);
        return own.refresh(context);
      },
    });
    stage.server.faults.push(down());
    await stage.outcome(app.session.refresh());
    await stage.clock.advance(10 * SECOND);
    await stage.clock.until(app.session.refresh());
    expect(seen).toEqual([
      ["string", "requested", 1, false],
      ["string", "requested", 2, false],
    ]);
  });

  it("that ignores its signal and never returns still lets everybody go", async () => {
    const stage = scene();
    const app = await stage.signedIn({ name: "app", refresh: () => new Promise(() => {}) });
    await stage.clock.sleep(2 * HOUR);
    expect(await stage.outcome(app.session.getToken(), 25_000)).toBe("timeout");
  });

  it.each(["signOut", "dispose"] as const)("R25 that takes its time before it sends sends nothing after %s()", async (end) => {
    const stage = scene();
    const sent: unknown[] = [];
    const app = await stage.signedIn({
      name: "app",
      refresh: async (context) => {
        await stage.clock.pause(SECOND);
        const refused = (error: { code: string }) => error.code;
        sent.push(await context.fetch("https://auth.example.test/token", { method: "POST" }).then(({ status }) => status, refused));
        throw new Error("not now");
      },
    });
    app.session.refresh().catch(() => {});
    await stage.clock.advance(100);
    await stage.clock.until(Promise.resolve(app.bare[end]()));
    await stage.clock.advance(5 * SECOND);
    expect([sent, stage.server.stats.attempts]).toEqual([["timeout"], 0]);
  });
});
