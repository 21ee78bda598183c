import { describe, expect, it } from "vitest";
import { SessionError } from "../../src/errors.js";
import { attemptRefresh } from "../../src/refresh/attempt.js";
import { json } from "../../src/testing/reply.js";
import { World, type WorldOptions } from "../../src/testing/world.js";
import type { RefreshContext, RefreshFunction } from "../../src/types.js";

function setUp(refresh: RefreshFunction, options: WorldOptions = {}) {
  const world = new World({ server: async () => json(200, { access_token: "fresh" }), ...options });
  const tab = world.tab();
  const started = world.clock.monotonic();
  const over = new AbortController();
  const limit = { reached: false };
  const begin = () =>
    attemptRefresh(
      tab.environment,
      { id: "", needsRefreshToken: false, refresh },
      { accessToken: "old", refreshToken: "r" },
      "due",
      3,
      started,
      1_000,
      over.signal,
      () => limit.reached,
    );
  const failure = async (promise: Promise<unknown>) => world.clock.until(promise.catch((error: unknown) => error)) as Promise<SessionError>;
  return { world, tab, begin, failure, over, limit };
}

describe("one attempt", () => {
  it("hands on the tokens, parsed, and leaves no timer", async () => {
    const { world, tab, begin } = setUp(() => ({ access_token: "fresh", expires_in: "60" }));
    expect(await world.clock.until(begin().answer)).toMatchObject({ accessToken: "fresh", expiresIn: 60 });
    expect(tab.timers.size).toBe(0);
  });

  it("R41 sends nothing once the session has reached a limit, however late an own function gets round to it", async () => {
    const { world, begin, failure, limit } = setUp(async ({ fetch }) => {
      await Promise.resolve();
      return (await fetch("/token", { method: "POST" })).json() as Promise<{ access_token: string }>;
    });
    const { answer } = begin();
    limit.reached = true;
    expect(await failure(answer)).toMatchObject({ code: "timeout", lost: false });
    expect(world.network.sent).toEqual([]);
  });

  it("J6 turns whatever is thrown into a SessionError with the attempt's number", async () => {
    const thrown = setUp(() => {
      throw new Error("own bug");
    });
    expect(await thrown.failure(thrown.begin().answer)).toMatchObject({
      code: "refresh-function",
      attempt: 3,
      lost: false,
      cause: { message: "own bug" },
    });
    const rejected = setUp(() => Promise.reject(new SessionError("rejected", "no", { status: 400 })));
    expect(await rejected.failure(rejected.begin().answer)).toMatchObject({ code: "rejected", status: 400, attempt: 3, lost: false });
    const empty = setUp(() => ({}) as never);
    expect(await empty.failure(empty.begin().answer)).toMatchObject({ code: "invalid-response" });
  });

  it("R23 knows that an answer may be lost once something was sent, and only then", async () => {
    const use = async ({ fetch }: RefreshContext) =>
      (await fetch("/token", { method: "POST" })).json() as Promise<{ access_token: string }>;
    const lost = setUp(use, { server: async () => "lost" });
    expect(await lost.failure(lost.begin().answer)).toMatchObject({ code: "network", lost: true });
    const unsent = setUp(() => Promise.reject(new TypeError("bad address")));
    expect(await unsent.failure(unsent.begin().answer)).toMatchObject({ lost: false });
  });

  it("R23 looking up an endpoint uses nothing up, so nothing is lost with it", async () => {
    const lookUp = new Request("https://auth.example.test/", { credentials: "omit" });
    const lost = setUp(async ({ fetch }) => (await fetch(lookUp)).json() as Promise<string>, { server: async () => "lost" });
    expect((await lost.failure(lost.begin().answer)).lost).toBe(false);
  });

  it("R22 ends at its deadline, and aborts its request", async () => {
    let signal: AbortSignal | undefined;
    const { world, begin } = setUp((context) => {
      signal = context.signal;
      return new Promise(() => {});
    });
    const attempt = begin();
    expect(await world.clock.until(attempt.expired)).toMatchObject({ code: "timeout", lost: true });
    expect([world.clock.monotonic(), signal?.aborted]).toEqual([1_000, true]);
  });

  it("refuses to send once it is too late", async () => {
    const { world, tab, begin, failure } = setUp(async ({ fetch }) => {
      await new Promise<void>((resolve) => tab.environment.setTimeout(resolve, 500));
      await fetch("/token", { method: "POST" });
      return "never";
    });
    tab.block(5_000);
    const attempt = begin();
    expect((await failure(attempt.answer)).code).toBe("timeout");
    expect(world.network.sent).toEqual([]);
  });

  it("R45 hands on an answer that comes after the deadline of a strategy that does not listen to it", async () => {
    const { world, tab, begin } = setUp(() => new Promise((resolve) => tab.environment.setTimeout(() => resolve("late"), 3_000)));
    const attempt = begin();
    await world.clock.until(attempt.expired);
    expect(await world.clock.until(attempt.answer)).toMatchObject({ accessToken: "late" });
  });
});
