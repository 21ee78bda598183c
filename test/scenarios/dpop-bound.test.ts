import { describe, expect, it, onTestFinished } from "vitest";
import { cookieSignIn, oauth2 } from "../../src/index.js";
import { API, TOKEN_ENDPOINT } from "../../src/testing/token-server.js";
import { boundScene, idOf } from "../support/bound.js";
import { HOUR, MINUTE, SECOND } from "../support/scene.js";

describe("a bound token", () => {
  it("of an own refresh function that sent no proof of ours is not sent as a bearer (session from before dpop)", async () => {
    const { stage, open, bind } = boundScene();
    const name = "own";
    const refresh = async () => bind(stage.server.signIn("ada"), "a key of the function's own");
    const before = await stage.open({ name, refresh });
    await stage.clock.until(before.session.signIn(stage.server.signIn("ada")));
    before.tab.close();
    const app = await open({ name, refresh });
    const outcome = await stage.outcome(app.session.refresh());
    await stage.call(app);
    const sent = stage.world.network.sent.filter(({ url }) => url.startsWith(API)).at(-1);
    expect([outcome, JSON.stringify(sent)]).toEqual(["configuration", expect.anything()]);
  });

  it("of a sign-in by a cookie without context.fetch is not sent as a bearer", async () => {
    const { stage, open, bind, judged } = boundScene();
    const refresh = async () => bind(stage.server.signIn("ada"), "a key of the function's own");
    const app = await open({ name: "own", refresh, cookieSignIn: cookieSignIn() });
    await stage.outcome(app.session.signIn());
    let scheme: string | null | undefined;
    const call = app.session.wrap(async (_input, init) => {
      scheme = new Headers(init?.headers).get("authorization")?.split(" ")[0];
      return new Response("{}");
    });
    await stage.outcome(call(`${API}/me`));
    expect([scheme, judged.length]).not.toEqual(["Bearer", 0]);
  });
});

describe("Firefox, whose Request has no `body`", () => {
  it("sends a Request with a body again after a challenge", async () => {
    const { stage, open, signIn, said } = boundScene({ nonces: true });
    const app = await open();
    await signIn(app);
    const own = Object.getOwnPropertyDescriptor(Request.prototype, "body")!;
    Object.defineProperty(Request.prototype, "body", { configurable: true, get: () => undefined });
    onTestFinished(() => void Object.defineProperty(Request.prototype, "body", own));
    const outcome = await stage.outcome(
      app.session.fetch(new Request(`${API}/me`, { method: "POST", body: "text" })).then((r) => r.status),
    );
    Object.defineProperty(Request.prototype, "body", own);
    expect([outcome, said("/me")]).toEqual([200, ["use_dpop_nonce", "ok"]]);
  });
});

describe("the key of another user", () => {
  it("is not used by a sign-in by a cookie while another user is signed in", async () => {
    const { stage, open, judged, bind } = boundScene();
    let subject = "ada";
    const app = await open({
      name: "own",
      cookieSignIn: cookieSignIn(),
      refresh: async ({ fetch }) => {
        await fetch(`${API}/token-of-cookie`, { method: "POST" }).catch(() => {});
        return bind(stage.server.signIn(subject), judged.at(-1)?.proof?.key ?? "");
      },
    });
    await stage.clock.until(app.session.signIn());
    const ofAda = judged.at(-1)?.proof?.key;
    subject = "grace";
    await stage.clock.until(app.session.signIn());
    expect(app.bare.getSnapshot().claims?.sub).toBe("grace");
    await stage.call(app);
    expect(judged.at(-1)?.proof?.key).not.toBe(ofAda);
  });

  it("is not given by keyPair() after a sign-in by a cookie took it, and a sign-out", async () => {
    const { stage, open, judged, bind } = boundScene();
    const app = await open({
      name: "own",
      cookieSignIn: cookieSignIn(),
      refresh: async ({ fetch }) => {
        await fetch(`${API}/token-of-cookie`, { method: "POST" }).catch(() => {});
        return bind(stage.server.signIn("ada"), judged.at(-1)?.proof?.key ?? "");
      },
    });
    const first = idOf(await stage.clock.until(app.proofs.keyPair()));
    await stage.clock.until(app.session.signIn());
    expect(judged.at(-1)?.proof?.key).toBe(first);
    await stage.clock.until(app.session.signOut());
    expect(idOf(await stage.clock.until(app.proofs.keyPair()))).not.toBe(first);
  });

  it("is not given by keyPair() of a tab whose login another tab finished, days ago", async () => {
    const { stage, open, signIn } = boundScene();
    const [one, other] = [await open(), await open()];
    await stage.clock.until(one.proofs.keyPair());
    const ofAda = await signIn(other, "ada");
    await stage.clock.sleep(24 * HOUR);
    await stage.clock.until(other.session.signOut());
    await stage.clock.advance(SECOND);
    expect(await signIn(one, "grace")).not.toBe(ofAda);
  });

  it("is not that of a session from before dpop, whose renewal ran during the login", async () => {
    const { stage, open, signIn, judged } = boundScene();
    const before = await stage.signedIn();
    before.tab.close();
    const app = await open();
    await stage.clock.until(app.proofs.keyPair());
    expect(await stage.clock.until(app.session.refresh())).toBe("refreshed");
    const ofAda = judged.at(-1)?.proof?.key;
    expect(await signIn(app, "grace")).not.toBe(ofAda);
  });
});

describe("challenges", () => {
  it("of both kinds leave the call its renewal and its resend (ADR 0011)", async () => {
    const { stage, servers, open, signIn, said } = boundScene({ nonces: true, window: 30 });
    stage.clock.jump(HOUR);
    const app = await open();
    await signIn(app);
    let refused = 0;
    servers.instead = (url) =>
      url.endsWith("/me") && !refused++ ? { status: 401, headers: { "www-authenticate": 'DPoP error="invalid_token"' } } : undefined;
    expect([await stage.call(app), said("/me"), stage.server.stats.refreshes]).toEqual([
      200,
      ["use_dpop_nonce", "invalid_dpop_proof", "ok", "ok"],
      1,
    ]);
  });

  it("of an origin to which the API redirected teach no nonce, and resend nothing", async () => {
    const { stage, open, signIn } = boundScene();
    const app = await open();
    await signIn(app);
    const nonces: (string | undefined)[] = [];
    const call = app.session.wrap(async (_input, init) => {
      const payload = JSON.parse(Buffer.from(new Headers(init?.headers).get("dpop")!.split(".")[1]!, "base64url").toString());
      nonces.push(payload.nonce);
      const response = new Response("{}", {
        status: 401,
        headers: { "dpop-nonce": "nonce-of-evil", "www-authenticate": 'DPoP error="use_dpop_nonce"' },
      });
      return Object.defineProperties(response, { redirected: { value: true }, url: { value: "https://evil.example/" } });
    });
    await stage.clock.until(call(`${API}/pay`, { method: "POST", body: "once" }));
    expect(nonces).toEqual([undefined]);
  });
});

describe("a session from before dpop", () => {
  it("keeps the key to which a rescued refresh token was bound", async () => {
    const { stage, servers, open, said, judged } = boundScene();
    const before = await stage.signedIn();
    before.tab.close();
    const app = await open();
    servers.type = "Bearer";
    expect(await stage.outcome(app.session.refresh())).toBe("unsupported-token-type");
    servers.type = "DPoP";
    await stage.clock.advance(10 * MINUTE);
    const outcome = await stage.outcome(app.session.refresh());
    expect([
      outcome,
      said("/token"),
      new Set(judged.filter(({ url }) => url === TOKEN_ENDPOINT).map(({ proof }) => proof?.key)).size,
    ]).toEqual(["refreshed", ["ok", "ok"], 1]);
  });
});
void oauth2;
