import { describe, expect, it } from "vitest";
import type { SessionError } from "../../src/errors.js";
import { oauth2, sliding, tokenPair } from "../../src/index.js";
import type { SessionOptions } from "../../src/types/index.js";
import { scene } from "../support/scene.js";

const RENEW = "https://api.example.test/renew";

type Fetch = typeof fetch;
type Wrap = (fetch: Fetch) => Fetch;

const echoes = async (input: RequestInfo | URL, init?: RequestInit) => {
  const request = new Request(input, init);
  return [...request.headers].flat().join(" ") + (await request.text());
};

/** What becomes of a request on its way out of the page. */
const networks: Record<string, Wrap> = {
  "is away": () => async () => {
    throw new TypeError("Failed to fetch");
  },
  "is wrapped by the page, whose error has the request, its headers and what it was told": () => async (input, init) => {
    const request = new Request(input, init);
    const { headers } = request;
    throw Object.assign(new TypeError("Failed to fetch", { cause: new Error(await echoes(request.clone())) }), { request, headers, init });
  },
  "says in its message what was sent": () => async (input, init) => {
    throw new TypeError(`cannot send ${await echoes(input, init)}`);
  },
  "rejects with the request": () => async (input, init) => {
    throw new Request(input, init);
  },
  "breaks off in the answer": () => async () =>
    new Response(new ReadableStream({ start: (controller) => controller.error(new TypeError("terminated")) })),
  "throws before it sends": () => (input, init) => {
    throw Object.assign(new TypeError("Failed to fetch"), { request: new Request(input, init) });
  },
};

describe("R60 no error holds a request, a response or headers", () => {
  const ways: Record<string, () => SessionOptions["refresh"]> = {
    oauth2: () => oauth2({ tokenEndpoint: RENEW, clientId: "spa", revocationEndpoint: RENEW }),
    tokenPair: () => tokenPair({ url: RENEW, signOutUrl: RENEW }),
    "tokenPair with headers": () => tokenPair({ url: RENEW, headers: ({ refreshToken }) => ({ authorization: `Bearer ${refreshToken}` }) }),
    sliding: () => sliding({ url: RENEW, signOutUrl: RENEW }),
    "an own function":
      () =>
      ({ tokens, fetch }) =>
        fetch(`${RENEW}?token=${tokens.refreshToken}`, { headers: { authorization: `Bearer ${tokens.accessToken}` } }).then((r) =>
          r.text(),
        ),
    "an own function that renews by a ready-made way": () => {
      const { refresh } = tokenPair({ url: RENEW, headers: ({ refreshToken }) => ({ authorization: `Bearer ${refreshToken}` }) });
      return (context) => refresh(context);
    },
  };

  async function open(refresh: SessionOptions["refresh"], wrap: Wrap = (fetch) => fetch) {
    const stage = scene();
    const tab = stage.world.tab();
    const environment = { ...tab.environment, fetch: wrap(tab.environment.fetch as Fetch) };
    const app = await stage.open({ refresh, environment, name: "app" }, { tab });
    await stage.clock.until(app.session.signIn(stage.server.signIn()));
    return { stage, app };
  }

  describe.each(Object.entries(networks))("when the network %s", (network, wrap) => {
    it.each(Object.entries(ways))("%s", async (way, make) => {
      const { stage, app } = await open(make(), wrap);
      const error = (await stage.clock.until(app.session.refresh().catch((reason: unknown) => reason))) as SessionError;
      const own = network === "breaks off in the answer" && way === "an own function";
      expect(error).toMatchObject({ name: "SessionError", code: own ? "refresh-function" : "network", lost: true });
      const cause = error.cause as Error;
      expect([cause instanceof Error, Reflect.ownKeys(cause).filter((key) => !["stack", "message", "name"].includes(String(key)))]).toEqual(
        [true, []],
      );
      if (network === "is away") expect([cause.name, cause.message]).toEqual(["TypeError", "Failed to fetch"]);
      expect(app.payloads("refresh-failed")[0]?.error.cause).toBe(cause);
      await stage.clock.until(app.session.signOut());
    });
  });

  it.each([
    [200, "{"],
    [200, ""],
    [400, ""],
    [401, "<h1>"],
    [500, ""],
    [429, ""],
  ])("whatever a server that says %s repeats after %j", async (status, before) => {
    for (const make of Object.values(ways)) {
      const { stage, app } = await open(make());
      stage.server.apiAnswer = () => ({ status, body: before + [...stage.server.grants.secrets].join(" ") });
      await stage.outcome(app.session.refresh());
    }
  });
});
