import { describe, expect, it } from "vitest";
import { bareError, SessionError } from "../../src/errors.js";
import { attemptRefresh } from "../../src/refresh/attempt.js";
import { json } from "../../src/testing/reply.js";
import { World, type WorldOptions } from "../../src/testing/world.js";
import type { RefreshContext, RefreshFunction, SessionOptions, TokenSet } from "../../src/types/index.js";
import { record } from "../ledger/records.js";
import { contextOver } from "../support/context.js";
import { expectNoSecret } from "../support/secrets.js";

function setUp(
  refresh: RefreshFunction,
  options: WorldOptions = {},
  { begins = false, ...further }: Partial<SessionOptions> & { begins?: boolean } = {},
) {
  const world = new World({ server: async () => json(200, { access_token: "fresh" }), ...options });
  const { context, page: tab } = contextOver({
    world,
    strategy: { needsRefreshToken: false, refresh },
    options: { refreshTimeout: 1_000, takeoverAfter: 3_000, ...further },
  });
  const { environment, settings } = context;
  const started = world.clock.monotonic();
  const over = new AbortController();
  const limit = { reached: false };
  const complaints: string[] = [];
  const parts = {
    environment,
    clock: context.clock,
    settings,
    report: { ...context.report, warnOnce: (problem: string) => complaints.push(problem) },
    limits: { ...context.limits, reached: () => (limit.reached ? ("max-age" as const) : undefined) },
  };
  const failed = { code: "network", attempt: 2, at: 0, retryAt: null } as const;
  const lease = record({ tokens: { accessToken: "old", refreshToken: "refresh-1" }, failure: failed });
  const begin = () => attemptRefresh(parts, { cause: "due", begins, over: over.signal }, lease, started);
  const failure = async (promise: Promise<unknown>) => world.clock.until(promise.catch((error: unknown) => error)) as Promise<SessionError>;
  return { world, tab, begin, failure, over, limit, complaints };
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

  describe("R60 the cause of its error", () => {
    const environmentOf = (fetch: typeof globalThis.fetch) => (tab: { environment: object }) => Object.assign(tab.environment, { fetch });
    /** What comes of a function of one's own with a network that rejects with `thrown`. */
    async function causeOf(refresh: RefreshFunction, thrown: unknown): Promise<unknown> {
      const { tab, begin, failure } = setUp(refresh);
      environmentOf(async () => Promise.reject(thrown))(tab);
      return (await failure(begin().answer)).cause;
    }
    const use: RefreshFunction = async ({ fetch }) => (await fetch("/token")).text();

    it("is a new one of the name and the message of what the network rejected with, and holds nothing else", async () => {
      const thrown = Object.assign(new DOMException("no more", "AbortError"), { request: new Request("https://auth.example.test") });
      const cause = (await causeOf(use, thrown)) as Error;
      expect([cause === (thrown as Error), cause instanceof Error, cause.name, cause.message]).toEqual([
        false,
        true,
        "AbortError",
        "no more",
      ]);
      expect(Reflect.ownKeys(cause).sort()).toEqual(["message", "name", "stack"]);
    });

    it.each([
      ["a text", "offline", "offline"],
      ["nothing", undefined, "undefined"],
      ["an answer", new Response("no", { headers: { "x-token": "refresh-1" } }), "[object Response]"],
      ["a message without an end", new Error("x".repeat(10_000)), "x".repeat(300)],
      ["a message with the tokens", new Error("old, refresh-1, new"), "…, …, new"],
    ])("of %s is an error, too", async (_, thrown, message) => {
      expect(await causeOf(use, thrown)).toMatchObject({ name: "Error", message });
    });

    it.each<[string, (token: string) => string]>([
      ["as it is", String],
      ["in a path", encodeURIComponent],
      ["in a query", (token) => String(new URLSearchParams({ token }))],
      ["in JSON", (token) => JSON.stringify({ token })],
    ])("has no token that its message repeats %s", async (_, spelt) => {
      const tokens: TokenSet = { accessToken: "a+b/c==", refreshToken: 'r "1"\\~+/=', idToken: "i%+.i" };
      for (const token of Object.values(tokens) as string[]) {
        const cause = bareError(new TypeError(`cannot read ${spelt(token)}.`), tokens);
        expect(cause.message).toMatch(/^cannot read .*…"?}?\.$/);
        expect(cause.message).not.toContain(spelt(token));
      }
    });

    it("is the same object that a function of one's own threw, whatever the network did before", async () => {
      const own = Object.assign(new Error("own"), { request: new Request("https://auth.example.test") });
      const instead: RefreshFunction = async ({ fetch }) => fetch("/token").then(String, () => Promise.reject(own));
      expect(await causeOf(instead, new TypeError("Failed to fetch"))).toBe(own);
      const rejects: RefreshFunction = async () => {
        throw new SessionError("server", "try later", { status: 500, retryAfter: 7, cause: own });
      };
      const { begin, failure } = setUp(rejects);
      const error = await failure(begin().answer);
      expect([error.cause === own, error.status, error.retryAfter, error.attempt]).toEqual([true, 500, 7, 3]);
    });

    it("is a new one, too, where the function makes an error of ours of what the network rejected with", async () => {
      const thrown = Object.assign(new TypeError("Failed to fetch"), { request: {} });
      const ours: RefreshFunction = async ({ fetch }) =>
        fetch("/token").then(String, (cause: unknown) => Promise.reject(new SessionError("network", "offline", { cause })));
      const cause = await causeOf(ours, thrown);
      expect([cause === thrown, cause]).toMatchObject([false, { name: "TypeError", message: "Failed to fetch" }]);
    });

    it("is a new one for each of several requests", async () => {
      const thrown = Object.assign(new TypeError("Failed to fetch"), { request: {} });
      const both: RefreshFunction = async ({ fetch }) => {
        const failures = await Promise.allSettled([fetch("/one"), fetch("/two")]);
        throw (failures[0] as PromiseRejectedResult).reason;
      };
      expect(await causeOf(both, thrown)).not.toBe(thrown);
    });
  });

  it.each(["/auth/renew?a=1", " /auth/renew?a=1"])(
    "R58 a function of one's own that asks %j asks the page's own origin, whatever <base> says",
    async (path) => {
      const { world, tab, begin } = setUp(
        async ({ fetch }) => (await fetch(path, { method: "POST" })).json() as Promise<{ access_token: string }>,
      );
      const send = tab.environment.fetch;
      const based: typeof fetch = (input, init) => send(typeof input === "string" ? new URL(input, "https://base.evil.test") : input, init);
      Object.assign(tab.environment, { fetch: based });
      await world.clock.until(begin().answer);
      expect(world.network.sent.map(({ url }) => url)).toEqual([`${tab.environment.origin}/auth/renew?a=1`]);
    },
  );

  it.each(["null", undefined])("R58 a function of one's own on a page whose origin is %s asks as it is", async (origin) => {
    const { world, tab, begin } = setUp(async ({ fetch }) => (await fetch("/token")).text());
    const asked: unknown[] = [];
    const answers: typeof fetch = async (input) => {
      asked.push(input);
      return new Response("fresh");
    };
    Object.assign(tab.environment, { origin, fetch: answers });
    await world.clock.until(begin().answer);
    expect(asked).toEqual(["/token"]);
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

  it("R64 counts the date that a server named by the shared clock, and takes one that has been for nothing", async () => {
    const named = (rest: number) => {
      const thrown = new SessionError("server", "later", { status: 503 });
      const set = setUp(() => Promise.reject(Object.assign(thrown, { retryDate: set.tab.environment.now() + rest })));
      return set.failure(set.begin().answer);
    };
    expect(await named(30_000)).toMatchObject({ code: "throttled", status: 503, retryAfter: 30_000 });
    expect(await named(1e12)).toMatchObject({ code: "throttled", retryAfter: 86_400_000 });
    for (const rest of [0, -30_000, Number.NaN]) expect(await named(rest)).toMatchObject({ code: "server", retryAfter: undefined });
  });

  it.each<[string, number, number, Parameters<typeof setUp>[2]]>([
    ["on a strict server, at takeoverAfter", 3_000, 2_000, {}],
    ["with a reuseGrace, at its deadline", 1_000, 0, { reuseGrace: 5_000 }],
    ["of a sign-in, at its deadline", 1_000, 0, { begins: true }],
  ])("R22 R84 is late at its deadline, and aborts its request %s", async (_, end, rest, options) => {
    let signal: AbortSignal | undefined;
    const setting = (context: RefreshContext) => {
      signal = context.signal;
      return new Promise<never>(() => {});
    };
    const { world, begin } = setUp(setting, {}, options);
    const attempt = begin();
    expect(await world.clock.until(attempt.late)).toMatchObject({ code: "timeout", lost: true });
    expect([world.clock.monotonic(), attempt.remaining()]).toEqual([1_000, rest]);
    if (!signal?.aborted) await world.clock.until(new Promise((resolve) => attempt.signal.addEventListener("abort", resolve)));
    expect([world.clock.monotonic(), attempt.signal === signal]).toEqual([end, true]);
    expect(signal?.reason).toMatchObject({ code: "timeout", lost: true });
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
    const { world, tab, begin } = setUp(() => new Promise((resolve) => tab.environment.setTimeout(() => resolve("late"), 4_000)));
    const attempt = begin();
    await world.clock.advance(3_500);
    expect(attempt.signal.aborted).toBe(true);
    expect(await world.clock.until(attempt.answer)).toMatchObject({ accessToken: "late" });
  });

  it("R62 has the refresh token of an answer that is of no use otherwise, and not in the error", async () => {
    const { begin, failure } = setUp(() => ({ access_token: "a b", refresh_token: "secret-refresh" }));
    const attempt = begin();
    const error = await failure(attempt.answer);
    expect([error.code, error.lost, error.attempt, attempt.rescued]).toEqual([
      "invalid-response",
      false,
      3,
      { refreshToken: "secret-refresh" },
    ]);
    expectNoSecret(["secret-refresh"], error, "an error");
    const none = setUp(() => ({ refresh_token: 7 }) as never);
    expect(await none.failure(none.begin().answer)).toMatchObject({ code: "invalid-response", lost: true });
  });

  it("R65 says what could not be read", async () => {
    const { world, begin, complaints } = setUp(() => ({ access_token: "a", expires_in: "1h" }));
    await world.clock.until(begin().answer);
    expect(complaints).toEqual(["expiresIn cannot be read, and is not used"]);
  });
});
