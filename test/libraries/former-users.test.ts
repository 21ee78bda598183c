import axios, { type AxiosInstance } from "axios";
import { afterEach, describe, expect, it, vi } from "vitest";
import { attachSession, throughSession } from "../../src/axios.js";
import type { Session } from "../../src/index.js";
import { type Api, startApi } from "./api.js";
import { runSample } from "./sample.js";

/** Another user signs in while the API has the call. Resolves with what became of the call, and who asked the API. */
async function outcomeOf(api: Api, session: Session, call: (path: string) => Promise<unknown>) {
  const { apiCalls } = api.auth;
  const before = apiCalls.length;
  api.auth.apiLatency = () => 100;
  const settled = call("me").catch((error: unknown) => error);
  await expect.poll(() => apiCalls.length).toBe(before + 1);
  await session.signIn(api.auth.signIn("bob"));
  const error = (await settled) as { code?: string };
  return { error, code: error?.code, bearers: apiCalls.slice(before).map(({ bearer }) => bearer) };
}

const rejected = { code: "user-changed", bearers: [1] };

describe.each(["ky", "ky-2"])("tokentide/ky on %s, and an answer to a call of a former user", (version) => {
  afterEach(() => {
    vi.doUnmock("ky");
    vi.resetModules();
  });

  async function load() {
    vi.resetModules();
    if (version !== "ky") vi.doMock("ky", () => import("ky-2"));
    return (await import("../../src/ky.js")).createKy;
  }

  it.each([
    ["its default retries", {}],
    ["retries by a number", { retry: 3 }],
    ["a shouldRetry of the app's own", { retry: { limit: 2, shouldRetry: () => true, delay: () => 1 } }],
  ])("R54 rejects, and is not asked for again as the new user, with %s", async (_, options) => {
    const api = await startApi();
    const session = await api.session();
    const ky = (await load())(session, options);
    expect(await outcomeOf(api, session, (path) => ky.get(`${api.origin}/${path}`).json())).toMatchObject(rejected);
  });

  it("R54 holds for instances that extend it, and keeps the app's own hooks", async () => {
    const api = await startApi();
    const session = await api.session();
    const answers = [503, 200];
    const heard: string[] = [];
    const ky = (await load())(session, { hooks: { beforeRetry: [() => void heard.push("created")] } }).extend({
      retry: { limit: 1, delay: () => 1 },
      hooks: { beforeRetry: [() => void heard.push("extended")] },
    });
    api.auth.apiAnswer = () => ({ status: answers.shift() ?? 200 });
    expect((await ky.get(`${api.origin}/me`)).status).toBe(200);
    expect(heard).toEqual(["created", "extended"]);
    api.auth.apiAnswer = () => undefined;
    expect(await outcomeOf(api, session, (path) => ky.get(`${api.origin}/${path}`))).toMatchObject(rejected);
    expect(heard).toEqual(["created", "extended"]);
  });
});

const ways: [string, (session: Session) => AxiosInstance][] = [
  ["its adapter by fetch", (session) => axios.create(throughSession(session))],
  ...["http", "fetch"].map((adapter): [string, (session: Session) => AxiosInstance] => [
    `interceptors and its adapter "${adapter}"`,
    (session) => {
      const instance = axios.create({ adapter });
      attachSession(instance, session);
      return instance;
    },
  ]),
];

describe.each(ways)("tokentide/axios by %s, and an answer to a call of a former user", (_, create) => {
  it("R54 rejects with the code, without a response, and is sent once", async () => {
    const api = await startApi();
    const session = await api.session();
    const client = create(session);
    const seen = await outcomeOf(api, session, (path) => client.get(`${api.origin}/${path}`));
    expect(seen).toMatchObject({ ...rejected, error: { message: expect.stringContaining("former user") } });
    expect(seen.error).not.toHaveProperty("response.status");
  });

  it("R54 rejects with the code for a 401 and for a stream, too", async () => {
    for (const responseType of ["json", "stream"] as const) {
      const api = await startApi();
      const session = await api.session();
      api.auth.apiAnswer = ({ bearer }) => (bearer === 1 && responseType === "json" ? { status: 401 } : undefined);
      const client = create(session);
      expect(await outcomeOf(api, session, (path) => client.get(`${api.origin}/${path}`, { responseType }))).toMatchObject(rejected);
    }
  });
});

describe("the samples of docs/libraries.md, and an answer to a call of a former user", () => {
  it("R54 ofetch does not ask for it again", async () => {
    const api = await startApi();
    const session = await api.session();
    const sample = await runSample<{ api: (path: string) => Promise<unknown> }>("ofetch and Nuxt", api, session);
    const { error, bearers } = await outcomeOf(api, session, (path) => sample.api(`/${path}`));
    expect([error, bearers]).toMatchObject([{ cause: { code: "user-changed" } }, [1]]);
  });

  it("R54 ofetch asks again for what may pass", async () => {
    const answers = [503, 200];
    const api = await startApi(({ method }) => (method === "GET" ? Response.json({}, { status: answers.shift() ?? 200 }) : undefined));
    const sample = await runSample<{ api: (path: string) => Promise<unknown> }>("ofetch and Nuxt", api, await api.session());
    expect(await sample.api("/me")).toEqual({});
  });

  it("R54 openapi-fetch rejects with it", async () => {
    const api = await startApi();
    const session = await api.session();
    type Client = { GET(path: string): Promise<unknown> };
    const { api: client } = await runSample<{ api: Client }>("openapi-fetch", api, session);
    expect(await outcomeOf(api, session, () => client.GET("/notes"))).toMatchObject(rejected);
  });

  it("R54 TanStack Query does not ask for it again, and asks three times for what may pass", async () => {
    const api = await startApi();
    const session = await api.session();
    type Sample = { queries: import("@tanstack/query-core").QueryClient };
    const { queries } = await runSample<Sample>("TanStack Query", api, session);
    const retry = queries.getDefaultOptions().queries!.retry!;
    const load = (path: string) => session.fetch(`${api.origin}/${path}`);
    const ask = (queryFn: () => Promise<unknown>) => queries.fetchQuery({ queryKey: ["me"], queryFn, retry, retryDelay: 1 });
    // The cache is emptied as the user changes: this is what a mutation, or a query that is not in the cache, does with its error.
    const shouldRetry = retry as (failures: number, error: Error) => boolean;
    const { error, bearers } = await outcomeOf(api, session, load);
    expect([shouldRetry(0, error as Error), shouldRetry(0, Object.assign(new Error("axios"), { code: "user-changed" })), bearers]).toEqual([
      false,
      false,
      [1],
    ]);
    let asked = 0;
    const fails = () => Promise.reject(new Error(`${++asked}`));
    await expect(ask(fails)).rejects.toThrow("4");
  });
});
