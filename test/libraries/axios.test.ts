import axios, { type AxiosError, type AxiosInstance } from "axios";
import { describe, expect, it } from "vitest";
import { attachSession, throughSession } from "../../src/axios.js";
import type { Session } from "../../src/index.js";
import { expectNoSecret } from "../support/secrets.js";
import { expectSurvival, startApi } from "./api.js";

const ways: Record<string, (session: Session, baseURL: string) => AxiosInstance> = {
  "its adapter by fetch": (session, baseURL) => axios.create({ baseURL, ...throughSession(session) }),
  "interceptors and Node's own adapter": (session, baseURL) => {
    const instance = axios.create({ baseURL, adapter: "http" });
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

  it("has no token in what it answers or rejects with, but for the raw request of Node's adapter", async () => {
    const api = await startApi(() => Response.json({}, { status: 404 }));
    const client = create(await api.session(), api.origin);
    const error = await client.get("/nowhere").catch((reason: unknown) => reason);
    const { config, response } = error as AxiosError;
    expect(response?.status).toBe(404);
    expectNoSecret(api.auth.grants.secrets, [config, response?.config], "the config of an error");
  });
});
