import type { KyInstance, Options } from "ky";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { Session } from "../../src/index.js";
import type { createKy as CreateKy } from "../../src/ky.js";
import { expectNoSecret } from "../support/secrets.js";
import { expectSurvival, startApi } from "./api.js";
import { runSample } from "./sample.js";

/** What the app has installed is what the package imports. */
const versions = ["ky", "ky-2"];

/** Longer than the time limit. */
const late = () => new Promise<void>((resolve) => setTimeout(resolve, 20));

describe.each(versions)("tokentide/ky on %s", (version) => {
  afterEach(() => {
    vi.doUnmock("ky");
    vi.resetModules();
  });

  async function load(): Promise<typeof CreateKy> {
    vi.resetModules();
    if (version !== "ky") vi.doMock("ky", () => import("ky-2"));
    return (await import("../../src/ky.js")).createKy;
  }

  const status =
    (ky: KyInstance, options: Options = {}) =>
    async (path: string, json: unknown) =>
      (await ky.post(path.slice(1), { json, throwHttpErrors: false, ...options })).status;

  it("a POST survives a 401, parallel calls cause one refresh, and after a sign-out nothing is attached", async () => {
    const createKy = await load();
    const api = await startApi();
    const session = await api.session();
    const ky = createKy(session).extend(base(api.origin));
    await expectSurvival(api, session, status(ky));
  });

  it("keeps ky's own retries for what a new token does not mend, and its errors", async () => {
    const createKy = await load();
    const answers = [503, 200, 404];
    const api = await startApi(() => Response.json({ name: "Ada" }, { status: answers.shift() ?? 500 }));
    const ky = createKy(await api.session(), { retry: { limit: 1, delay: () => 1 } });
    expect(await ky.get(`${api.origin}/me`).json()).toEqual({ name: "Ada" });
    await expect(ky.get(`${api.origin}/you`)).rejects.toMatchObject({ name: "HTTPError", response: { status: 404 } });
    expect(api.auth.stats.refreshes).toBe(0);
  });

  it("R32 gives the bearer to no other origin", async () => {
    const createKy = await load();
    const [api, other] = [await startApi(), await startApi()];
    const ky = createKy(await api.session());
    expect((await ky.get(`${other.origin}/me`, { throwHttpErrors: false })).status).toBe(401);
    expect(other.auth.apiCalls[0]?.bearer).toBe("none");
  });

  it("oauth2 renews through it, and knows a refusal", async () => {
    vi.resetModules();
    if (version !== "ky") vi.doMock("ky", () => import("ky-2"));
    const { oauth2 } = await import("../../src/strategies/oauth2.js");
    const api = await startApi();
    const { refresh } = oauth2({ tokenEndpoint: `${api.origin}/token`, clientId: "spa" });
    const renew = (refreshToken: string | undefined) =>
      refresh({ tokens: { accessToken: "", refreshToken }, cause: "requested", attempt: 1, signal: new AbortController().signal, fetch });
    const { refresh_token } = api.auth.signIn();
    expect(await renew(refresh_token)).toMatchObject({ token_type: "Bearer" });
    await expect(renew(refresh_token)).rejects.toMatchObject({ code: "rejected" });
  });

  it("R60 what it rejects with, or answers, has no bearer", async () => {
    const createKy = await load();
    const api = await startApi(() => new Response("{", { status: 404 }));
    const ky = createKy(await api.session(), { retry: 0 });
    const outcomes: unknown[] = [await ky.get(`${api.origin}/you`, { throwHttpErrors: false })];
    outcomes.push(await ky.get(`${api.origin}/you`).catch((error: unknown) => error));
    outcomes.push(await ky.get(`${api.origin}/you`, { timeout: 1, hooks: { beforeRequest: [late] } }).catch((error: unknown) => error));
    api.http.closeAllConnections();
    api.http.close();
    outcomes.push(await ky.get(`${api.origin}/you`).catch((error: unknown) => error));
    expect(outcomes.map((outcome) => outcome instanceof Error)).toEqual([false, true, true, true]);
    expectNoSecret(api.auth.grants.secrets, outcomes, "an error of ky");
  });

  /** The one option that was renamed. */
  function base(url: string): Options {
    return (version === "ky" ? { prefixUrl: url } : { prefix: url }) as Options;
  }
});

describe("ky in a refresh function of one's own, as docs/libraries.md has it", () => {
  it("R60 leaves no token in the errors of the session, and knows a refusal", async () => {
    const api = await startApi();
    const { notes } = await runSample<{ notes: Session }>("In a refresh function of your own", api, await api.session());
    onTestFinished(() => notes.dispose());
    const away = vi.spyOn(globalThis, "fetch").mockRejectedValue(new TypeError("fetch failed"));
    await notes.signIn(api.auth.signIn());
    const error = await notes.refresh().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "SessionError", code: "network", lost: true });
    expectNoSecret(api.auth.grants.secrets, error, "an error");
    away.mockRestore();
    await expect(notes.refresh()).rejects.toMatchObject({ code: "rejected" });
  });
});
