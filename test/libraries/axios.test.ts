import axios, {
  type AxiosError,
  type AxiosInstance,
  type AxiosRequestConfig,
  type CreateAxiosDefaults,
  type InternalAxiosRequestConfig,
} from "axios";
import { describe, expect, it } from "vitest";
import { type AttachOptions, attachSession, throughSession } from "../../src/axios.js";
import type { ClassifyInput, Session } from "../../src/index.js";
import { renewalHeader } from "../../src/index.js";
import { makeJwt } from "../../src/testing/jwt.js";
import { json } from "../../src/testing/reply.js";
import { expectNoSecret } from "../support/secrets.js";
import { expectSurvival, startApi } from "./api.js";

const ways: Record<string, (session: Session, baseURL: string) => AxiosInstance> = {
  "its adapter by fetch": (session, baseURL) => axios.create({ baseURL, ...throughSession(session) }),
  "interceptors and Node's own adapter": (session, baseURL) => {
    const instance = axios.create({ baseURL, adapter: "http" });
    attachSession(instance, session);
    return instance;
  },
  "interceptors and its adapter by fetch": (session, baseURL) => {
    const instance = axios.create({ baseURL, adapter: "fetch" });
    attachSession(instance, session);
    return instance;
  },
};

describe.each(Object.entries(ways))("tokentide/axios by %s", (_, create) => {
  it("a POST survives a 401, parallel calls cause one refresh, and after a sign-out nothing is attached", async () => {
    const api = await startApi();
    const session = await api.session();
    const client = create(session, api.origin);
    await expectSurvival(api, session, async (path, body) => (await client.post(path, body, { validateStatus: null })).status);
  });

  it("R32 gives the bearer to no other origin, whatever the base URL is", async () => {
    const [api, other] = [await startApi(), await startApi()];
    const client = create(await api.session(), api.origin);
    await expect(client.get(`${other.origin}/me`)).rejects.toMatchObject({ response: { status: 401 } });
    expect(other.auth.apiCalls.map(({ bearer }) => bearer)).toEqual(["none"]);
  });

  it("R33 an abort rejects its own call, as axios does it, and the shared refresh goes on", async () => {
    const api = await startApi();
    const session = await api.session();
    const client = create(session, api.origin);
    api.expire();
    api.auth.latency = { before: () => 100, after: () => 0 };
    const controller = new AbortController();
    const [aborted, other] = [client.get("/me", { signal: controller.signal }), client.get("/me")];
    aborted.catch(() => {});
    await expect.poll(() => api.auth.stats.inFlight).toBe(1);
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: "ERR_CANCELED" });
    expect((await other).status).toBe(200);
  });

  it("sends the query, and a form with a file, whole again", async () => {
    const api = await startApi();
    const client = create(await api.session(), api.origin);
    api.expire();
    const form = new FormData();
    form.append("file", new Blob(["contents"]), "a.txt");
    const { status, data } = await client.post<{ body: string }>("/files", form, { params: { folder: "x y" } });
    expect([status, data.body.includes("contents"), api.auth.apiCalls.at(-1)?.url]).toEqual([200, true, `${api.origin}/files?folder=x+y`]);
  });

  it("leaves a request with credentials of its own alone", async () => {
    const api = await startApi();
    const client = create(await api.session(), api.origin);
    const own = client.get("/me", { headers: { Authorization: "Bearer mine" }, validateStatus: null });
    expect([(await own).status, api.auth.apiCalls.at(-1)?.bearer, api.auth.stats.attempts]).toEqual([401, "foreign", 0]);
  });

  it("R60 has no token in what it answers, rejects with, or shows to interceptors and classify", async () => {
    const api = await startApi((request) => {
      if (request.url.endsWith("/missing")) return Response.json({}, { status: 404 });
      if (request.url.endsWith("/large")) return new Response("x".repeat(100_000));
      return request.url.endsWith("/broken") ? new Response("{") : undefined;
    });
    const seen: unknown[] = [];
    const classify = ({ error, request, response }: ClassifyInput) => {
      seen.push(error, request);
      return response?.status === 401 ? ("refresh" as const) : ("ok" as const);
    };
    const client = create(await api.session({ classify }), api.origin);
    client.interceptors.response.use(
      (response) => {
        seen.push(response);
        return response;
      },
      (error) => {
        seen.push(error, (error as AxiosError).toJSON());
        throw error;
      },
    );
    const outcome = async (path: string, config: AxiosRequestConfig = {}) =>
      client.get(path, config).then(
        ({ status }) => status,
        (error: AxiosError) => error.response?.status ?? error.code,
      );
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    api.expire();
    const outcomes = [
      await outcome("/me"),
      await outcome("/missing"),
      await outcome("/broken", { responseType: "json", transitional: { silentJSONParsing: false } }),
      await outcome("/large", { maxContentLength: 10 }),
    ];
    api.auth.apiLatency = () => 1_000;
    outcomes.push(await outcome("/me", { signal: controller.signal }), await outcome("/me", { timeout: 20 }));
    api.http.closeAllConnections();
    api.http.close();
    outcomes.push(String(await outcome("/me")).replace("ECONNREFUSED", "ERR_NETWORK"));
    expect(outcomes).toEqual([200, 404, 200, "ERR_BAD_RESPONSE", "ERR_CANCELED", expect.stringMatching(/ABORT|TIMEDOUT/), "ERR_NETWORK"]);
    expectNoSecret(api.auth.grants.secrets, seen, "what axios handed on");
  });

  it("R60 what comes after a redirect elsewhere is not the API's answer", async () => {
    const token = (days: number) => makeJwt({ sub: "ada", exp: Math.floor(Date.now() / 1000) + days * 86_400 });
    const other = await startApi();
    const api = await startApi(({ url }) => {
      const { searchParams } = new URL(url);
      const [to, renewed] = [searchParams.get("to"), searchParams.get("renewed")];
      return to ? Response.redirect(to) : renewed ? Response.json({}, { headers: { "x-renewed": renewed } }) : undefined;
    });
    const session = await api.session({
      renewalHeader: renewalHeader("x-renewed"),
      classify: ({ response }) => (response?.status === 403 ? "sign-out" : response?.status === 401 ? "refresh" : "ok"),
    });
    const client = create(session, api.origin);
    const before = session.peekToken();
    const forged = token(3);
    for (const status of [200, 401, 403]) {
      other.auth.apiAnswer = () => json(status, {}, { "x-renewed": forged });
      const answer = await client.get("/me", { params: { to: `${other.origin}/` }, validateStatus: null });
      expect([answer.status, api.auth.stats.attempts, session.getSnapshot().status]).toEqual([status, 0, "signed-in"]);
    }
    expect([session.peekToken() === before, other.auth.apiCalls.map(({ bearer }) => bearer)]).toEqual([true, ["none", "none", "none"]]);
    // A later one from the API itself is taken, also after a redirect: had the forged one been, it would be no later one.
    const [first, second] = [token(1), token(2)];
    await client.get("/me", { params: { renewed: first } });
    await expect.poll(() => session.peekToken() === first).toBe(true);
    api.auth.grants.check = () => ({ subject: "ada", serial: 9 });
    await client.get("/me", { params: { to: `${api.origin}/you?renewed=${second}` } });
    await expect.poll(() => session.peekToken() === second).toBe(true);
  });
});

describe.each(["http", "fetch"])("attachSession with the adapter %s", (adapter) => {
  const open = async (config: CreateAxiosDefaults = {}, options?: AttachOptions) => {
    const [api, other] = [await startApi(), await startApi()];
    api.auth.latency = { before: () => 100, after: () => 0 };
    const client = axios.create({ baseURL: api.origin, adapter, validateStatus: null, ...config });
    attachSession(client, await api.session(), options);
    return { api, other, client, sent: () => api.auth.apiCalls.map(({ body }) => new TextDecoder().decode(body)) };
  };

  it("R46 a URL that is pointed elsewhere while the call waits takes the bearer nowhere", async () => {
    const { api, other, client } = await open({ baseURL: "" });
    api.expire();
    const url = new URL(`${api.origin}/a`);
    const call = client.get(url as unknown as string);
    await expect.poll(() => api.auth.stats.inFlight).toBe(1);
    url.host = new URL(other.origin).host;
    expect([(await call).config.url, api.auth.apiCalls.at(-1)?.url, other.auth.apiCalls]).toEqual([url, `${api.origin}/a`, []]);
  });

  it("R46 three pages by one URLSearchParams are three pages", async () => {
    const { api, client } = await open();
    const params = new URLSearchParams();
    const pages = ["1", "2", "3"].map((page) => {
      params.set("page", page);
      return client.get("/notes", { params });
    });
    await Promise.all(pages);
    expect(api.auth.apiCalls.map(({ url }) => new URL(url).search).sort()).toEqual(["?page=1", "?page=2", "?page=3"]);
  });

  it.each([
    ["URLSearchParams", () => new URLSearchParams("page=1")],
    [
      "an object of a class",
      () =>
        new (class {
          page = "1";
          set(_name: string, value: string) {
            this.page = value;
          }
        })(),
    ],
  ])("R46 sends the query once more as it was at the call: %s", async (_, make) => {
    let serialised = 0;
    const serialize = (given: { page?: string; get?: (name: string) => string | null }) =>
      `page=${given.get?.("page") ?? given.page}&nr=${++serialised}`;
    const { api, client } = await open({ paramsSerializer: { serialize } });
    api.expire();
    const params = make();
    const call = client.get("/notes", { params });
    await expect.poll(() => api.auth.stats.inFlight).toBe(1);
    params.set("page", "2");
    await call;
    expect(api.auth.apiCalls.map(({ url }) => new URL(url).search)).toEqual(["?page=1&nr=1", "?page=1&nr=1"]);
  });

  it("R46 serialises a model before the caller goes on, as axios does", async () => {
    const { client, sent } = await open();
    const models = [
      { text: "hello" },
      new (class Note {
        text = "hello";
      })(),
    ];
    const calls = models.map((model) => client.post("/notes", model));
    for (const model of models) model.text = "";
    await Promise.all(calls);
    expect(sent()).toEqual(['{"text":"hello"}', '{"text":"hello"}']);
  });

  it("R46 sends forms, parameters and buffers once more as they were at the call", async () => {
    const { api, client, sent } = await open();
    api.expire();
    const [form, params] = [new FormData(), new URLSearchParams("a=1")];
    form.append("file", new Blob(["old"]), "a.txt");
    const whole = new Uint8Array([65, 66, 67]);
    const views = [whole.buffer, Buffer.from(whole.buffer, 1, 1)];
    const headers = { "x-note": "old" };
    const calls = [form, params, ...views].map((data) => client.post("/notes", data, { headers }));
    await expect.poll(() => api.auth.stats.inFlight).toBe(1);
    await expect.poll(() => sent().length).toBe(calls.length);
    form.set("file", new Blob(["new"]), "b.txt");
    params.set("a", "2");
    whole.fill(90);
    headers["x-note"] = "new";
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 200, 200]);
    const again = sent().slice(calls.length).sort();
    expect(again).toEqual([expect.stringMatching(/name="file"; filename="a.txt"[\s\S]*\r\nold\r\n/), "ABC", "B", "a=1"]);
    expect(api.auth.apiCalls.map((call) => call.headers["x-note"])).toEqual(Array(8).fill("old"));
  });

  it("R46 onResend cannot send the bearer elsewhere", async () => {
    const away: string[] = [];
    const onResend: AttachOptions["onResend"] = (config) => {
      config.headers.set("x-again", "yes");
      Object.assign(config, { baseURL: away[0], url: `${away[0]}/a`, params: { b: 1 } });
    };
    const { api, other, client } = await open({}, { onResend });
    away.push(other.origin);
    api.expire();
    expect((await client.get("/a?c=1")).status).toBe(200);
    expect(other.auth.apiCalls).toEqual([]);
    expect(api.auth.apiCalls.map(({ url, headers }) => [url, headers["x-again"]])).toEqual([
      [`${api.origin}/a?c=1`, undefined],
      [`${api.origin}/a?c=1`, "yes"],
    ]);
  });

  it("R46 what an interceptor takes out of the address stays out", async () => {
    const { api, client } = await open({ params: { lang: "en" } });
    client.interceptors.request.use(({ params: _, ...config }) => config);
    await client.get("/a");
    expect(api.auth.apiCalls.map(({ url }) => url)).toEqual([`${api.origin}/a`]);
  });
});

describe("attachSession", () => {
  it.each([
    ["as the call said it", "/a", {}, { url: "/a", params: { page: 1 } }],
    ["as it was checked, once it leads elsewhere", "/a", { url: "/b" }, { url: "/a?page=1", params: null }],
    ["as it was checked, once it has another base", "/a", { baseURL: "https://evil.example.test" }, { url: "/a?page=1", params: null }],
  ])("R46 an adapter of one's own gets the address %s", async (_, url, change, expected) => {
    const api = await startApi();
    const seen: unknown[] = [];
    const adapter = async (config: InternalAxiosRequestConfig) => {
      seen.push([config.baseURL, config.url, config.params]);
      return { data: "", status: seen.length > 1 ? 200 : 401, statusText: "", headers: {}, config };
    };
    const client = axios.create({ baseURL: api.origin, adapter });
    attachSession(client, await api.session(), { onResend: (config) => void Object.assign(config, change) });
    const { config } = await client.get(url, { params: { page: 1 } });
    const again = expected.params ? [api.origin, expected.url, expected.params] : [null, `${api.origin}${expected.url}`, null];
    expect(seen).toEqual([[api.origin, url, { page: 1 }], again]);
    expect([config.baseURL, config.url, config.params]).toEqual([api.origin, url, { page: 1 }]);
  });

  it.each(["http", "fetch"])("R60 says by `request` where the answer came from, by the adapter %s", async (adapter) => {
    const api = await startApi(({ url }) => (url.endsWith("/old") ? Response.redirect(`${new URL(url).origin}/new`) : undefined));
    const client = axios.create({ baseURL: api.origin, adapter });
    attachSession(client, await api.session());
    const { request } = await client.get("/old");
    expect([request.responseURL, request.res.responseUrl]).toEqual([`${api.origin}/new`, `${api.origin}/new`]);
  });

  it("uses the `fetch` that axios was given, and asks it of each request where its answer came from", async () => {
    const [api, other] = [await startApi(), await startApi()];
    const asked: string[] = [];
    let away = false;
    const own: typeof fetch = async (input, init) => {
      asked.push((input as Request).url);
      const response = await fetch(input, init);
      return Object.defineProperty(response, "url", { value: away ? other.origin : response.url });
    };
    const client = axios.create({ baseURL: api.origin, adapter: "fetch", env: { fetch: own } });
    attachSession(client, await api.session());
    api.expire();
    const statuses = [(await client.get("/me")).status];
    api.expire();
    away = true;
    statuses.push((await client.get("/me", { validateStatus: null })).status);
    expect([statuses, asked.length, api.auth.stats.attempts]).toEqual([[200, 401], 3, 1]);
  });

  it.each([
    ["an address without an origin, as a mock gives it", { responseURL: "/me" }],
    ["nothing", undefined],
    ["what is no URL", { responseURL: 7 }],
  ])("an adapter whose request says %s answers from where it was asked", async (_, request) => {
    const api = await startApi();
    const session = await api.session();
    const adapter = async (config: InternalAxiosRequestConfig) => ({ data: "", status: 401, statusText: "", headers: {}, config, request });
    const client = axios.create({ baseURL: api.origin, adapter, validateStatus: null });
    attachSession(client, session);
    expect([(await client.get("/me")).status, api.auth.stats.refreshes]).toEqual([401, 1]);
  });
});
