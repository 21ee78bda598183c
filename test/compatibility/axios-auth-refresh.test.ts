import axios, { AxiosError, type AxiosInstance, type AxiosRequestConfig } from "axios";
import { describe, expect, it, onTestFinished } from "vitest";
import { type AttachOptions, attachSession } from "../../src/axios.js";
import { browserEnvironment, createSession, SessionError, type SessionOptions } from "../../src/index.js";
import { type Api, startApi } from "../libraries/api.js";

/** What axios-auth-refresh 5 checks, by the numbers of its suite; what a session decides differently is said in the name. */
async function setUp(options: Partial<Omit<SessionOptions, "name">> = {}, attach?: AttachOptions) {
  const api = await startApi();
  const session = createSession({ name: "app", refresh: refreshOf(api), allowedOrigins: [api.origin], ...options });
  onTestFinished(() => session.dispose());
  await session.signIn(api.auth.signIn());
  const client = axios.create({ baseURL: api.origin, adapter: "http" });
  const undo = attachSession(client, session, attach);
  return { api, session, client, undo };
}

const refreshOf =
  ({ auth }: Api): SessionOptions["refresh"] =>
  ({ tokens }) => {
    auth.stats.attempts += 1;
    const { response } = auth.grants.exchange(tokens.refreshToken ?? "");
    if (!response) throw new SessionError("rejected", "the session was ended");
    auth.stats.refreshes += 1;
    return response;
  };

/** An adapter that answers what it is told. */
const answering = (client: AxiosInstance, answer: (config: AxiosRequestConfig) => unknown) => {
  let calls = 0;
  client.defaults.adapter = async (config) => {
    calls += 1;
    return answer(config) as never;
  };
  return () => calls;
};
const statusOf = (client: AxiosInstance, config: AxiosRequestConfig = {}) =>
  client.get("/me", { validateStatus: null, ...config }).then(({ status }) => status);

describe("which failures are about the token", () => {
  it.each([
    ["A4 no error object", undefined],
    ["A5 no response", new AxiosError("no answer", "ERR_NETWORK")],
    ["A6 no status", Object.assign(new AxiosError("odd"), { response: { data: "", headers: {} } })],
    ["A9 the string '401'", Object.assign(new AxiosError("odd"), { response: { status: "401", data: "", headers: {} } })],
  ])("%s: it is passed on, and nothing is refreshed", async (_, error) => {
    const { api, client } = await setUp();
    const calls = answering(client, () => {
      throw error;
    });
    expect(await client.get("/me").catch((reason: unknown) => reason)).toBe(error);
    expect([calls(), api.auth.stats.attempts]).toEqual([1, 0]);
  });

  it("A7 a 403 is not, E4 unless classify says so, by status or by a code in the body", async () => {
    const plain = await setUp();
    plain.api.auth.apiAnswer = () => ({ status: 403 });
    expect([await statusOf(plain.client), plain.api.auth.stats.attempts]).toEqual([403, 0]);

    const told = await setUp({
      classify: async ({ response }) => (response?.status === 403 && (await response.json()).code === "EXPIRED" ? "refresh" : "ok"),
    });
    const answers = [JSON.stringify({ code: "EXPIRED" }), JSON.stringify({ code: "FORBIDDEN" })];
    told.api.auth.apiAnswer = () => ({ status: 403, headers: { "content-type": "application/json" }, body: answers.shift() ?? "" });
    expect([await statusOf(told.client), told.api.auth.stats.refreshes]).toEqual([403, 1]);
  });

  it("E6 a network error is, when classify says so", async () => {
    const { api, client } = await setUp({ classify: ({ error }) => (error ? "refresh" : "ok") });
    let broken = true;
    const calls = answering(client, () => {
      if (!broken) return { status: 200, data: "", headers: {} };
      broken = false;
      throw new AxiosError("Network Error", "ERR_NETWORK");
    });
    expect([await statusOf(client), calls(), api.auth.stats.refreshes]).toEqual([200, 2, 1]);
  });

  it("A15 A16 when classify throws, there is no refresh, and the answer is passed on", async () => {
    const { api, client, session } = await setUp({
      classify: () => {
        throw new Error("a mistake in the app");
      },
    });
    api.expire();
    expect([await statusOf(client), api.auth.stats.attempts, session.getSnapshot().status]).toEqual([401, 0, "signed-in"]);
  });

  it("A10 E2 a request that skips gets its 401 and no bearer; A11 one marked false is as any other; the next one refreshes once", async () => {
    const { api, client } = await setUp();
    api.expire();
    expect(await statusOf(client, { skipAuthRefresh: true })).toBe(401);
    expect([api.auth.apiCalls.at(-1)?.bearer, api.auth.stats.attempts]).toEqual(["none", 0]);
    expect(await statusOf(client, { skipAuthRefresh: false })).toBe(200);
    expect(api.auth.stats.refreshes).toBe(1);
  });
});

describe("one refresh for all", () => {
  it("A8 E1 a 401 refreshes once, and the call is answered by the new token", async () => {
    const { api, client } = await setUp();
    api.expire();
    expect([await statusOf(client), api.auth.stats.refreshes]).toEqual([200, 1]);
    expect(api.auth.apiCalls.map(({ bearer }) => bearer)).toEqual([1, 2]);
  });

  it("A13 A18 A20 who asks during a refresh joins it, and gets what came of it", async () => {
    const { api, client, session } = await setUp();
    api.expire();
    const results = await Promise.all([statusOf(client), session.refresh(), session.refresh(), statusOf(client)]);
    expect([results[0], results[1], results[3], api.auth.stats.refreshes]).toEqual([200, results[2], 200, 1]);
  });

  it("A23 E3 four that start while the first one's refresh is under way: five 200, one refresh", async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let api: Api | undefined;
    const made = await setUp({
      async refresh(context) {
        await held;
        const refresh = refreshOf(api as Api) as (given: typeof context) => string;
        return refresh(context);
      },
    });
    api = made.api;
    api.expire();
    const first = statusOf(made.client);
    await expect.poll(() => made.api.auth.stats.apiUnauthorized).toBe(1);
    const rest = Array.from({ length: 4 }, () => statusOf(made.client));
    release();
    expect(await Promise.all([first, ...rest])).toEqual([200, 200, 200, 200, 200]);
    expect(api.auth.stats.refreshes).toBe(1);
  });

  it("A19 A25 when it fails, all who wait settle with their own 401, which axios rejects with", async () => {
    const { api, client } = await setUp();
    api.auth.grants.revoke();
    const outcomes = await Promise.all(
      Array.from({ length: 3 }, () => client.get("/me").catch((error: AxiosError) => error.response?.status)),
    );
    expect([outcomes, api.auth.stats.attempts, api.auth.stats.refreshes]).toEqual([[401, 401, 401], 1, 0]);
  });
});

describe("the resend", () => {
  it("A27 A28 A29 E5 a hook is called once for each, before it, and may change headers, also after a moment", async () => {
    const seen: unknown[] = [];
    const { api, client } = await setUp(
      {},
      {
        async onResend(config) {
          await Promise.resolve();
          seen.push(config.url);
          config.headers.set("x-again", "yes");
        },
      },
    );
    expect(await statusOf(client)).toBe(200);
    expect(seen).toEqual([]);
    api.expire();
    expect(await statusOf(client)).toBe(200);
    expect([seen, api.auth.apiCalls.map(({ headers }) => headers["x-again"])]).toEqual([["/me"], [undefined, undefined, "yes"]]);
  });

  it("A26 can go another way than the first one", async () => {
    const bearers: (string | undefined)[] = [];
    const { api, client } = await setUp(
      {},
      {
        onResend(config) {
          config.adapter = async (final) => {
            bearers.push(String(final.headers.get("Authorization")));
            return { status: 200, statusText: "", data: "", headers: {}, config: final };
          };
        },
      },
    );
    api.expire();
    expect([await statusOf(client), api.auth.apiCalls.length, api.auth.grants.serialOf(bearers[0]?.slice(7) ?? null)]).toEqual([200, 1, 2]);
  });

  it("A32 other interceptors are untouched, and run once for each call", async () => {
    const { api, client, undo } = await setUp();
    const seen: string[] = [];
    client.interceptors.request.use((config) => {
      seen.push("request");
      return config;
    });
    client.interceptors.response.use((response) => {
      seen.push(`response ${response.status}`);
      return response;
    });
    api.expire();
    await statusOf(client);
    expect(seen).toEqual(["request", "response 200"]);
    undo();
    expect([await statusOf(client), api.auth.apiCalls.at(-1)?.bearer]).toEqual([401, "none"]);
    expect(seen).toEqual(["request", "response 200", "request", "response 401"]);
  });

  it("A33 nothing is left after a cycle: the next 401 is as the first one", async () => {
    let passed = 0;
    const now = () => Date.now() + passed;
    const { api, client } = await setUp({ environment: { ...browserEnvironment(), now, monotonic: now } });
    for (const refreshes of [1, 2]) {
      api.expire();
      expect([await statusOf(client), api.auth.stats.refreshes]).toEqual([200, refreshes]);
      passed += 2000;
    }
  });
});

describe("the options", () => {
  it.each([
    ["A1 none", undefined],
    ["A3 empty ones", {}],
  ] as const)("%s: the defaults", async (_, options) => {
    const { api, client } = await setUp({}, options);
    api.expire();
    expect([await statusOf(client), api.auth.stats.refreshes]).toEqual([200, 1]);
  });

  it("A2 each instance has its own", async () => {
    const resent: string[] = [];
    const { api, session, client } = await setUp({}, { onResend: () => void resent.push("first") });
    const second = axios.create({ baseURL: api.origin, adapter: "http" });
    attachSession(second, session, { onResend: () => void resent.push("second") });
    api.expire();
    await statusOf(second);
    expect([resent, await statusOf(client)]).toEqual([["second"], 200]);
  });

  it("A30 without a way to refresh there is no session to attach", () => {
    expect(() => createSession({} as SessionOptions)).toThrow(/refresh must be a function/);
  });
});
