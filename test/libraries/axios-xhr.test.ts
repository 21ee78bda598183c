import type { InternalAxiosRequestConfig } from "axios";
import { Window } from "happy-dom";
import { afterAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { browserEnvironment } from "../../src/platform/browser.js";
import { json } from "../../src/testing/reply.js";
import { expectNoSecret } from "../support/secrets.js";
import { expectSurvival, startApi } from "./api.js";

// axios looks for it once, when it is loaded.
vi.stubGlobal("XMLHttpRequest", class {});
const [{ default: axios }, { attachSession }] = [await import("axios"), await import("../../src/axios.js")];
afterAll(() => vi.unstubAllGlobals());

/** What a page at this address has. */
function openPage(url: string): void {
  const window = new Window({ url, settings: { fetch: { disableSameOriginPolicy: true } } });
  vi.stubGlobal("XMLHttpRequest", window.XMLHttpRequest);
  onTestFinished(() => window.happyDOM.close());
}

describe("attachSession with XHR", () => {
  let api: Awaited<ReturnType<typeof startApi>>;
  beforeEach(async () => {
    api = await startApi(({ url }) => {
      const to = new URL(url).searchParams.get("to");
      return to ? Response.redirect(to) : undefined;
    });
    openPage(`${api.origin}/page`);
  });
  const attached = (...given: Parameters<typeof axios.create>) => axios.create({ adapter: "xhr", baseURL: api.origin, ...given[0] });

  it("a POST survives a 401, parallel calls cause one refresh, and after a sign-out nothing is attached", async () => {
    const [client, session] = [attached(), await api.session()];
    attachSession(client, session);
    await expectSurvival(api, session, async (path, body) => (await client.post(path, body, { validateStatus: null })).status);
  });

  it("R46 sends, and sends again, the address, the query and the body of the call", async () => {
    const other = await startApi();
    const page = { ...browserEnvironment(), baseUrl: `${api.origin}/page` };
    const [client, session] = [attached({ baseURL: "/" }), await api.session({ environment: page })];
    attachSession(client, session);
    api.expire();
    api.auth.latency = { before: () => 100, after: () => 0 };
    const params = new URLSearchParams("page=1");
    const bytes = new Uint8Array([65]);
    const call = client.post("notes", bytes.buffer, { params });
    await expect.poll(() => api.auth.stats.inFlight).toBe(1);
    params.set("page", "2");
    bytes[0] = 66;
    // What is relative would be another address by now.
    openPage(`${other.origin}/page`);
    expect([(await call).status, other.auth.apiCalls]).toEqual([200, []]);
    const sent = api.auth.apiCalls.map(({ url, body }) => [url, new TextDecoder().decode(body)]);
    expect(sent).toEqual(Array(2).fill([`${api.origin}/notes?page=1`, "A"]));
  });

  it.each(["", "/"])("R60 what comes after a redirect elsewhere is not the API's answer, with the base URL %j", async (baseURL) => {
    const other = await startApi();
    other.auth.apiAnswer = () => json(401, {});
    const page = { ...browserEnvironment(), baseUrl: `${api.origin}/page` };
    const [client, session] = [attached({ validateStatus: null, ...(baseURL && { baseURL }) }), await api.session({ environment: page })];
    attachSession(client, session);
    const { status, request } = await client.get("/me", { params: { to: `${other.origin}/` } });
    expect([status, request.responseURL, api.auth.stats.attempts]).toEqual([401, `${other.origin}/`, 0]);
    api.expire();
    expect([(await client.get("/me")).status, api.auth.stats.attempts]).toEqual([200, 1]);
  });

  it("R60 leaves the XHR alone where nothing hangs on it, and hands on none that says more", async () => {
    class Bare {
      get [Symbol.toStringTag]() {
        return "XMLHttpRequest";
      }
      get responseURL() {
        return `${api.origin}/me`;
      }
    }
    const bare = new Bare();
    // As a tracing tool notes what was set.
    const traced = (config: InternalAxiosRequestConfig) => Object.assign(new Bare(), { traced: { headers: String(config.headers) } });
    const client = attached({
      adapter: async (config) => {
        const request = config.url === "/traced" ? traced(config) : bare;
        const answer = { data: "", status: 200, statusText: "", headers: {}, config, request };
        if (!config.url?.endsWith("/fails")) return answer;
        const event = { target: traced(config) };
        throw Object.assign(new axios.AxiosError("Network Error", "ERR_NETWORK", config, event.target), { event });
      },
    });
    attachSession(client, await api.session());
    const [one, other] = [await client.get("/me"), await client.get("/traced")];
    expect([one.request === bare, other.request.responseURL]).toEqual([true, `${api.origin}/me`]);
    const error = await client.get("/fails").catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "ERR_NETWORK", request: { responseURL: `${api.origin}/me` } });
    expectNoSecret(api.auth.grants.secrets, [one, other, error], "what axios handed on");
  });

  it("R60 has no token in its errors", async () => {
    const client = attached();
    attachSession(client, await api.session());
    const outcomes: unknown[] = [await client.get("/me")];
    api.auth.apiAnswer = () => json(404, {});
    outcomes.push(await client.get("/me").catch((error: unknown) => error));
    api.http.closeAllConnections();
    api.http.close();
    outcomes.push(await client.get("/me").catch((error: unknown) => error));
    expect(outcomes).toMatchObject([{ status: 200 }, { response: { status: 404 } }, { code: "ERR_NETWORK" }]);
    expectNoSecret(api.auth.grants.secrets, outcomes, "what axios handed on");
  });
});
