import { describe, expect, it } from "vitest";
import { audiences, cookieSignIn, createSession, dpop, memory, sliding } from "../../src/index.js";
import { API, TOKEN_ENDPOINT } from "../../src/testing/token-server.js";
import { boundScene, idOf, instantCrypto } from "../support/bound.js";
import { HOUR, MINUTE, SECOND, scene } from "../support/scene.js";

describe("proof() in a tab of memory mode that has just opened", () => {
  it("waits for the token, as getToken does", async () => {
    const { stage, open, signIn } = boundScene({ shares: true, session: { persist: memory() } });
    const owner = await open();
    await signIn(owner);
    const tab = stage.world.tab();
    const proofs = dpop();
    const environment = Object.create(tab.environment, { crypto: { value: instantCrypto, enumerable: true } });
    const sibling = stage.start({ dpop: proofs, environment }, { tab });
    const [token, proof] = await stage.clock.until(
      Promise.all([sibling.session.getToken(), proofs.proof({ url: API }).catch((error: { code: string }) => error.code)]),
    );
    expect([typeof token, `${proof}`.split(".").length]).toEqual(["string", 3]);
  });
});

describe("a challenge of the token endpoint while storage hangs", () => {
  it("is answered, or the refresh ends in time, and nobody is signed out", async () => {
    const { stage, open, signIn, servers, said } = boundScene({ nonces: true, shares: true });
    const app = await open();
    await signIn(app);
    servers.delay = 500;
    let settled: unknown;
    app.session.refresh().then(
      (value) => (settled = value),
      (error) => (settled = error.code),
    );
    await stage.clock.advance(200);
    stage.world.stores.trouble = () => "hanging";
    await stage.clock.advance(30 * SECOND);
    const then = settled;
    stage.world.stores.trouble = () => "none";
    await stage.clock.advance(5 * MINUTE);
    expect([then, app.status(), await stage.outcome(app.session.refresh(), MINUTE), stage.server.stats.reused]).toEqual([
      expect.anything(),
      "signed-in",
      "refreshed",
      0,
    ]);
    console.log("hang:", then, said("/token"));
  });
});

describe("memory mode that finds tokens stored", () => {
  it("beside a tab in indexeddb mode: all go on, nothing is reused, storage is empty", async () => {
    const { stage, open, signIn } = boundScene({ shares: true, nonces: true });
    const old = await open();
    await signIn(old);
    const one = await open({ persist: memory() });
    const two = await open({ persist: memory() });
    await stage.clock.advance(SECOND);
    expect(JSON.stringify(stage.world.stores.read(stage.world.stores.names()[0]!))).not.toMatch(/accessToken|keyPair/);
    for (let i = 0; i < 4; i++) {
      await stage.clock.sleep(2 * HOUR);
      const all = await stage.clock.until(Promise.all([old, one, two].map((a) => a.session.fetch(`${API}/me`).then((x) => x.status))));
      expect(all).toEqual([200, 200, 200]);
    }
    expect(stage.server.stats.reused).toBe(0);
    old.tab.close();
    await stage.clock.sleep(2 * HOUR);
    const rest = await stage.clock.until(Promise.all([one, two].map((a) => a.session.fetch(`${API}/me`).then((x) => x.status))), MINUTE);
    console.log("after old closed", rest, one.status(), two.status(), stage.server.stats);
    expect(stage.server.stats.reused).toBe(0);
  });
  it.each([[false], [true]])(
    "a page that is prerendered (%s) and never shown takes nothing out of storage (no dpop)",
    async (prerendering) => {
      const stage = scene();
      const app = await stage.signedIn();
      app.tab.close();
      const tab = stage.world.tab();
      tab.prerendering = prerendering;
      if (prerendering) {
        stage.start({ persist: memory() }, { tab });
        await stage.clock.advance(20 * SECOND);
      }
      tab.close();
      const next = await stage.open({ persist: memory() });
      expect(next.status()).toBe("signed-in");
    },
  );
});

describe("createSession that throws", () => {
  it("goes on as a session that nobody can stop: it renews", async () => {
    const { stage } = boundScene();
    const first = await stage.open({ name: "x", refresh: sliding({ url: `${API}/renew` }) });
    await stage.clock.until(first.session.signIn(stage.server.signIn("ada")));
    first.tab.close();
    const tab = stage.world.tab();
    expect(() =>
      createSession({
        name: "x",
        environment: tab.environment,
        refresh: sliding({ url: `${API}/renew` }),
        cookieSignIn: cookieSignIn(),
        allowedOrigins: [API],
      }),
    ).toThrow(TypeError);
    await stage.clock.advance(2 * HOUR);
    expect(stage.world.network.sent.filter(({ tab: name, url }) => name === tab.name && url.endsWith("/renew")).length).toBe(0);
  });
});

describe("audiences", () => {
  it("an audience whose server answers DPoP after Bearer (acceptBearer) is sent as its own type", async () => {
    const billing = "https://billing.example.test";
    const { stage, open, signIn, servers } = boundScene({
      dpop: { acceptBearer: true },
      session: { audiences: audiences({ [billing]: {} }) },
    });
    servers.type = "Bearer";
    const app = await open();
    await signIn(app);
    const seen: string[] = [];
    const call = app.session.wrap(async (_i, init) => {
      seen.push(new Headers(init?.headers).get("authorization")!.split(" ")[0]!);
      return new Response("{}");
    });
    await stage.clock.until(call(`${billing}/x`));
    servers.type = "DPoP";
    await stage.clock.sleep(2 * HOUR);
    await stage.clock.until(call(`${billing}/x`));
    await stage.clock.until(call(`${API}/x`));
    servers.type = "Bearer";
    await stage.clock.sleep(2 * HOUR);
    await stage.clock.until(call(`${billing}/x`));
    await stage.clock.until(call(`${API}/x`));
    expect(seen).toEqual(["Bearer", "DPoP", "DPoP", "Bearer", "Bearer"]);
  });
});

describe("the nonce of a 401 that another layer gives", () => {
  it("abort during the challenge rejects with AbortError", async () => {
    const { stage, open, signIn } = boundScene({ nonces: true });
    const app = await open();
    await signIn(app);
    const controller = new AbortController();
    let count = 0;
    const call = app.session.wrap(async () => {
      count++;
      controller.abort();
      return new Response("{}", { status: 401, headers: { "dpop-nonce": "n1", "www-authenticate": 'DPoP error="use_dpop_nonce"' } });
    });
    const outcome = await stage.clock.until(
      call(`${API}/me`, { signal: controller.signal }).then(
        (r) => r.status,
        (e) => e.name,
      ),
    );
    expect([outcome, count]).toEqual(["AbortError", 1]);
  });
  it("a transport does not get a call that was aborted during the signature", async () => {
    const { stage, open, signIn } = boundScene();
    const app = await open();
    await signIn(app);
    const controller = new AbortController();
    let count = 0;
    const send = app.session.wrap(async () => {
      count++;
      return new Response("{}");
    });
    const call = send(`${API}/pay`, { method: "POST", signal: controller.signal }).catch(() => {});
    controller.abort();
    await stage.clock.until(call);
    expect(count).toBe(0);
  });
});

void [idOf, TOKEN_ENDPOINT];
