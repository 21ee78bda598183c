import { describe, expect, it } from "vitest";
import { audiences } from "../../src/index.js";
import { memory } from "../../src/session/memory.js";
import { json } from "../../src/testing/reply.js";
import { API } from "../../src/testing/token-server.js";
import type { ClassifyInput, Verdict } from "../../src/types/index.js";
import type { App } from "../support/app.js";
import { HOUR, kept, type Scene, SECOND, scene } from "../support/scene.js";

const pathOf = (url: string) => new URL(url).pathname;

async function start(options: Parameters<typeof scene>[0] = {}): Promise<{ stage: Scene; app: App }> {
  const stage = scene(options);
  const app = await stage.signedIn();
  await stage.clock.advance(SECOND);
  return { stage, app };
}

/** A server that ends the access tokens of before when it renews. */
function killsOldTokens({ server: { grants } }: Scene): void {
  const exchange = grants.exchange.bind(grants);
  grants.exchange = (...given) => {
    grants.expireAccessTokens();
    return exchange(...given);
  };
}

/** Each answers a call's first sending with a 401, and what follows within two seconds in another way. */
function afterwards(status: number): Scene["server"]["apiAnswer"] {
  let last = 0;
  return ({ at }) => {
    const soon = at - last < 2 * SECOND;
    last = at;
    return json(soon ? status : 401, {});
  };
}

describe("R49 120 polls in ten minutes cost 15 rotations at most", () => {
  async function poll({ stage, app }: { stage: Scene; app: App }, round: () => Promise<unknown> = () => stage.call(app, "/bad")) {
    for (let count = 0; count < 120; count++) {
      await round();
      await stage.clock.advance(5 * SECOND);
    }
    expect(stage.server.stats.attempts).toBeLessThanOrEqual(15);
    expect(stage.server.stats.attempts).toBeGreaterThan(5);
  }

  it("one address for all operations, as GraphQL has it, one of which is never accepted", async () => {
    const classify = async ({ response }: ClassifyInput): Promise<Verdict> =>
      ((await response?.json().catch(() => null)) as { errors?: unknown } | null)?.errors ? "refresh" : "ok";
    const { stage, app } = await start({ session: { classify } });
    stage.server.apiAnswer = ({ body }) => (new TextDecoder().decode(body) === "admin" ? json(200, { errors: [{}] }) : undefined);
    await poll({ stage, app }, async () => {
      for (const query of ["me", "admin"]) expect(await stage.call(app, "/graphql", { method: "POST", body: query })).toBe(200);
    });
  });

  it("one address, where GET is accepted and POST is not", async () => {
    const { stage, app } = await start();
    stage.server.apiAnswer = ({ method }) => (method === "POST" ? json(401, {}) : undefined);
    await poll({ stage, app }, async () => {
      expect(await stage.call(app, "/notes")).toBe(200);
      expect(await stage.call(app, "/notes", { method: "POST", body: "x" })).toBe(401);
    });
  });

  it.each([429, 408, 500, 503])("the resend gets a %i, which tells nothing of the token", async (status) => {
    const { stage, app } = await start();
    stage.server.apiAnswer = afterwards(status);
    await poll({ stage, app });
  });

  it("each poll gives the one before up, while that is being sent again", async () => {
    const { stage, app } = await start();
    stage.server.apiLatency = () => 1_200;
    stage.server.apiAnswer = () => json(401, {});
    let controller = new AbortController();
    for (let round = 0; round < 300; round++) {
      controller.abort();
      controller = new AbortController();
      app.bare.fetch(`${API}/bad`, { signal: controller.signal }).catch(() => {});
      await stage.clock.advance(2 * SECOND);
    }
    expect(stage.server.stats.attempts).toBeLessThanOrEqual(15);
  });

  it("each poll gives the one before up, while that waits for its renewal", async () => {
    const { stage, app } = await start();
    stage.server.latency = { before: () => 900, after: () => 900 };
    stage.server.apiAnswer = () => json(401, {});
    let controller = new AbortController();
    for (let round = 0; round < 300; round++) {
      controller.abort();
      controller = new AbortController();
      app.bare.fetch(`${API}/bad`, { signal: controller.signal }).catch(() => {});
      await stage.clock.advance(2 * SECOND);
      controller.abort();
    }
    expect(stage.server.stats.attempts).toBeLessThanOrEqual(15);
  });

  it("the resend is answered after half a minute, when other renewals have been made", async () => {
    const { stage, app } = await start();
    const sent = new Set<string | null>();
    stage.server.apiAnswer = () => json(401, {});
    stage.server.apiLatency = ({ headers }) => {
      const again = sent.has(headers.get("x-n"));
      sent.add(headers.get("x-n"));
      return again ? 30 * SECOND : 20;
    };
    let round = 0;
    await poll({ stage, app }, async () => void app.session.fetch(`${API}/bad`, { headers: { "x-n": `${round++}` } }));
    await stage.clock.advance(60 * SECOND);
  });

  it.each([0, 10, 40, 80])(
    "the server ends the old token when it renews, and a good route is asked %i ms after the bad one",
    async (gap) => {
      const { stage, app } = await start();
      killsOldTokens(stage);
      stage.server.latency = { before: () => 40, after: () => 40 };
      stage.server.apiLatency = () => 20;
      stage.server.apiAnswer = ({ url }) => (pathOf(url) === "/bad" ? json(401, {}) : undefined);
      await poll({ stage, app }, async () => {
        const bad = app.session.fetch(`${API}/bad`);
        await stage.clock.advance(gap);
        const good = app.session.fetch(`${API}/good`);
        expect((await stage.clock.until(Promise.all([bad, good]))).map(({ status }) => status)).toEqual([401, 200]);
      });
    },
  );

  it.each(["memory", "indexeddb"] as const)("an audience, polled by a tab that did not sign in (%s)", async (persist) => {
    const billing = "https://billing.test";
    const stage = scene({ session: { persist: kept(persist), audiences: audiences({ [billing]: {} }) }, shares: true });
    await stage.signedIn();
    const other = await stage.open();
    stage.server.apiAnswer = ({ url }) => (url.startsWith(billing) ? json(401, {}) : undefined);
    await poll({ stage, app: other }, () => stage.clock.until(other.session.fetch(`${billing}/x`), 60_000));
  });

  it("an answer whose status is unknown says nothing of the token", async () => {
    const { stage, app } = await start();
    const opaque = app.session.wrap((input, init) =>
      init?.mode === "no-cors" ? Promise.resolve(Response.error()) : app.tab.environment.fetch(input, init),
    );
    stage.server.apiAnswer = () => json(401, {});
    await poll({ stage, app }, async () => {
      await stage.clock.until(opaque(`${API}/pixel`, { mode: "no-cors" }));
      await stage.clock.until(opaque(`${API}/pixel`));
    });
  });
});

describe("R49 meanwhile an address that had accepted the token gets it renewed", () => {
  async function pace(stage: Scene, app: App) {
    stage.server.apiAnswer = ({ url }) => (pathOf(url) === "/bad" ? json(401, {}) : undefined);
    for (let round = 0; round < 5; round++) {
      await stage.call(app, "/bad");
      await stage.clock.advance(17 * SECOND);
    }
  }

  it("although a slow answer to an older token comes in between", async () => {
    const { stage, app } = await start();
    await pace(stage, app);
    stage.server.apiLatency = ({ url }) => (pathOf(url) === "/slow" ? 20 * SECOND : 0);
    const slow = app.session.fetch(`${API}/slow`);
    await stage.clock.advance(SECOND);
    await stage.clock.until(app.session.refresh());
    await stage.call(app, "/bad");
    expect(await stage.call(app, "/good")).toBe(200);
    await stage.clock.until(slow, 60_000);
    stage.server.grants.expireAccessTokens();
    expect(await stage.call(app, "/good")).toBe(200);
  });

  it("in memory mode, in a tab that cannot renew, without a wait for nothing", async () => {
    const stage = scene({ session: { persist: memory() }, shares: true });
    const owner = await stage.signedIn();
    const other = await stage.open();
    await pace(stage, owner);
    expect(await stage.call(other, "/good")).toBe(200);
    stage.server.grants.expireAccessTokens();
    const before = stage.clock.monotonic();
    expect((await stage.clock.until(other.session.fetch(`${API}/good`), 60_000)).status).toBe(200);
    expect(stage.clock.monotonic() - before).toBeLessThan(3 * SECOND);
  });
});

describe("R48 a 401 that one more renewal would cure reaches nobody", () => {
  it("though the newer token that was there already was revoked, too", async () => {
    const { stage, app } = await start();
    stage.server.grants.expireAccessTokens();
    stage.server.apiLatency = ({ url }) => (pathOf(url) === "/slow" ? 3 * SECOND : 0);
    const slow = app.session.fetch(`${API}/slow`, { method: "POST", body: "x" });
    await stage.clock.advance(1_500);
    await stage.clock.until(app.session.refresh());
    await stage.clock.advance(1_400);
    stage.server.grants.expireAccessTokens();
    expect((await stage.clock.until(slow, 60_000)).status).toBe(200);
    expect(stage.server.apiCalls.length).toBe(3);
  });

  it.each(["frozen", "asleep, and the monotonic clock counts it", "asleep, and it does not"])(
    "R53 though the page was %s for two hours while the call waited",
    async (how) => {
      for (const refused of [false, true]) {
        const { stage, app } = await start();
        if (refused) stage.server.grants.expireAccessTokens();
        else await stage.clock.sleep(2 * HOUR);
        stage.server.latency = { before: () => 1_000, after: () => 0 };
        const call = app.session.fetch(`${API}/x`);
        await stage.clock.advance(500);
        if (how === "frozen") {
          app.tab.freeze();
          await stage.clock.advance(2 * HOUR);
          app.tab.thaw();
        } else await stage.clock.sleep(2 * HOUR, { counted: how.endsWith("counts it") });
        expect((await stage.clock.until(call, 120_000)).status).toBe(200);
      }
    },
  );

  it("and a call that was given up while classify was thinking renews nothing", async () => {
    const { stage, app } = await start({
      session: {
        classify: async ({ response }): Promise<Verdict> => {
          await stage.clock.until(Promise.resolve());
          return response?.status === 401 ? "refresh" : "ok";
        },
      },
    });
    stage.server.apiAnswer = () => json(401, {});
    const controller = new AbortController();
    const call = app.session.wrap(async (input, init) => {
      const { signal: _, ...rest } = init ?? {};
      const response = await app.tab.environment.fetch(input, rest);
      queueMicrotask(() => controller.abort());
      return response;
    });
    await stage.clock.until(call(`${API}/x`, { signal: controller.signal }).catch(() => {}));
    await stage.clock.advance(5 * SECOND);
    expect(stage.server.stats.attempts).toBe(0);
  });
});
