import { describe, expect, it } from "vitest";
import { audiences, cookie, createSession, dpop, memory, sliding } from "../../src/index.js";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { API, TOKEN_ENDPOINT } from "../../src/testing/token-server.js";
import { World } from "../../src/testing/world.js";
import type { Environment } from "../../src/types/index.js";
import { boundScene, idOf, instantCrypto } from "../support/bound.js";
import { HOUR, MINUTE, type Scene, SECOND, scene } from "../support/scene.js";

const storedIn = ({ world: { stores } }: Scene) => stores.read(stores.names()[0] ?? "") as LedgerRecord;

describe("tokens that are bound to a key (RFC 9449)", () => {
  it("are sent with a proof for that method, address and token, and renewed with one of the same key", async () => {
    const { stage, judged, open, signIn, said } = boundScene();
    const app = await open();
    const key = await signIn(app);
    expect(await stage.call(app, "/notes?page=2", { method: "POST" })).toBe(200);
    expect(await stage.clock.until(app.session.refresh())).toBe("refreshed");
    expect([await stage.call(app), said("/token")]).toEqual([200, ["ok"]]);
    expect(judged.map(({ proof }) => [proof?.key, proof?.htm, proof?.htu])).toEqual([
      [key, "POST", `${API}/notes`],
      [key, "POST", TOKEN_ENDPOINT],
      [key, "GET", `${API}/me`],
    ]);
    expect(new Set(judged.map(({ proof }) => proof?.jti)).size).toBe(3);
  });

  it("have one key in all tabs and after a reload, and another one after the next sign-in", async () => {
    const { stage, judged, open, signIn } = boundScene();
    const app = await open();
    const key = await signIn(app);
    const sibling = await open();
    app.tab.close();
    sibling.tab.close();
    const reloaded = await open();
    expect([reloaded.status(), await stage.call(reloaded), await stage.clock.until(reloaded.session.refresh())]).toEqual([
      "signed-in",
      200,
      "refreshed",
    ]);
    expect(new Set(judged.map(({ proof }) => proof?.key))).toEqual(new Set([key]));
    const next = await signIn(reloaded, "grace");
    expect([await stage.call(reloaded), judged.at(-1)?.proof?.key, next === key]).toEqual([200, next, false]);
  });

  it("are gone with their key after a sign-out, and the server hears of it", async () => {
    const { stage, open, signIn } = boundScene();
    const app = await open();
    await signIn(app);
    await stage.clock.until(app.session.signOut());
    await stage.clock.advance(SECOND);
    expect(JSON.stringify(storedIn(stage))).not.toContain("keyPair");
  });

  it("R1 are renewed once for all tabs", async () => {
    const { stage, open, signIn, said } = boundScene({ nonces: true });
    const apps = [await open(), await open(), await open()] as const;
    await signIn(apps[0]);
    await stage.clock.sleep(2 * HOUR);
    const calls = Promise.all(apps.map((app) => app.session.fetch(`${API}/me`)));
    expect((await stage.clock.until(calls)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect([stage.server.stats.refreshes, said("/token")]).toEqual([1, ["use_dpop_nonce", "ok"]]);
  });
});

describe("a nonce", () => {
  it("of an API is learnt by one more send, uses up no renewal, and serves the next calls", async () => {
    const { stage, servers, open, signIn, said } = boundScene({ nonces: true });
    const app = await open();
    await signIn(app);
    expect([await stage.call(app), await stage.call(app), said("/me")]).toEqual([200, 200, ["use_dpop_nonce", "ok", "ok"]]);
    servers.nonce[API] = "api-2";
    expect([await stage.call(app, "/me", { method: "PUT", body: "text" }), said("/token")]).toEqual([200, []]);
    expect(stage.server.apiCalls.at(-1)).toMatchObject({ method: "PUT" });
  });

  it("that is asked for before the token is refused leaves the renewal and the resend: four sends, one refresh", async () => {
    const { stage, servers, open, signIn, said } = boundScene({ nonces: true });
    const app = await open();
    await signIn(app);
    let refused = 0;
    servers.instead = (url) => {
      if (!url.endsWith("/me") || refused++) return undefined;
      servers.nonce[API] = "api-2";
      return { status: 401, headers: { "www-authenticate": 'DPoP error="invalid_token"' } };
    };
    expect(await stage.call(app)).toBe(200);
    expect([said("/me"), stage.server.stats.refreshes]).toEqual([["use_dpop_nonce", "ok", "use_dpop_nonce", "ok"], 1]);
  });

  it("of the authorization server is in the record: a page that opens needs one request", async () => {
    const { stage, open, signIn, said } = boundScene({ nonces: true });
    const app = await open();
    await signIn(app);
    expect([await stage.clock.until(app.session.refresh()), app.count("refresh-failed")]).toEqual(["refreshed", 0]);
    expect(said("/token")).toEqual(["use_dpop_nonce", "ok"]);
    app.tab.close();
    const next = await open();
    expect([await stage.clock.until(next.session.refresh()), said("/token")]).toEqual(["refreshed", ["use_dpop_nonce", "ok", "ok"]]);
  });

  it("that script cannot read is a wrong set-up, and the error names the header", async () => {
    const { stage, servers, open, signIn, said } = boundScene({ nonces: true });
    servers.hides = ["dpop-nonce"];
    const app = await open();
    await signIn(app);
    await expect(stage.clock.until(app.session.refresh())).rejects.toMatchObject({
      code: "configuration",
      message: expect.stringContaining("Access-Control-Expose-Headers: DPoP-Nonce"),
    });
    expect([await stage.call(app), said("/token").length, said("/me").length]).toEqual([401, 1, 1]);
    expect(app.tab.reports.map(({ message }) => message)).toEqual([expect.stringContaining("DPoP-Nonce")]);
    expect(app.status()).toBe("signed-in");
  });

  it('that is asked for again and again, each time another one, is "not now", and no loop', async () => {
    const { stage, servers, open, signIn, said } = boundScene({ nonces: true });
    const app = await open();
    await signIn(app);
    let count = 0;
    Object.defineProperty(servers.nonce, API, { get: () => `api-${++count}` });
    Object.defineProperty(servers.nonce, new URL(TOKEN_ENDPOINT).origin, { get: () => `auth-${++count}` });
    expect([await stage.call(app), await stage.outcome(app.session.refresh())]).toEqual([401, "server"]);
    expect([said("/me").length, said("/token").length]).toEqual([2, 2]);
  });

  it("that script can read, with a challenge that it cannot read, is asked for, too", async () => {
    const { stage, servers, open, signIn } = boundScene({ nonces: true });
    servers.hides = ["www-authenticate"];
    const app = await open();
    await signIn(app);
    expect([await stage.call(app), stage.server.stats.refreshes]).toEqual([200, 0]);
  });

  it("is not got for a stream, which can be sent once: the call gets its 401, and the next one the nonce", async () => {
    const { stage, open, signIn } = boundScene({ nonces: true });
    const app = await open();
    await signIn(app);
    const send = () => stage.call(app, "/me", { method: "POST", body: new Blob(["text"]).stream(), duplex: "half" } as RequestInit);
    expect([await send(), await send(), stage.server.stats.refreshes]).toEqual([401, 200, 0]);
  });

  it("whose resend gets no answer leaves the rotation unknown, as any request does", async () => {
    const { stage, servers, open, signIn } = boundScene({ nonces: true });
    const app = await open();
    await signIn(app);
    servers.instead = (url) => (url === TOKEN_ENDPOINT ? "lost" : undefined);
    expect(await stage.outcome(app.session.refresh())).toBe("network");
    expect(app.payloads("refresh-failed").map(({ error }) => [error.lost, error.attempt])).toEqual([[true, 1]]);
  });

  it("that comes after the deadline is not answered: nothing is sent any more", async () => {
    const { stage, servers, open, signIn, said } = boundScene({ nonces: true, session: { refreshTimeout: 5 * SECOND } });
    const app = await open();
    await signIn(app);
    servers.delay = 6 * SECOND;
    expect(await stage.outcome(app.session.refresh(), MINUTE)).toBe("timeout");
    await stage.clock.advance(10 * SECOND);
    expect([said("/token"), app.status()]).toEqual([["use_dpop_nonce"], "signed-in"]);
    servers.delay = 0;
    await stage.clock.advance(2 * MINUTE);
    expect([await stage.outcome(app.session.refresh(), MINUTE), stage.server.stats.reused]).toEqual(["refreshed", 0]);
  });
});

describe("the clock of the device", () => {
  it.each([-HOUR, HOUR])("may be wrong by %d ms: the tokens tell the server's time once a proof was refused", async (skew) => {
    const { stage, servers, open, signIn, said } = boundScene({ window: 30 });
    stage.clock.jump(skew);
    const app = await open();
    await signIn(app);
    expect([await stage.call(app), await stage.call(app), said("/me")]).toEqual([200, 200, ["invalid_dpop_proof", "ok", "ok"]]);
    expect([await stage.clock.until(app.session.refresh()), said("/token")]).toEqual(["refreshed", ["ok"]]);
    expect([app.count("refresh-failed"), servers.window]).toEqual([0, 30]);
    // The record has the correction, so a page that opens has it.
    const opened = await open();
    expect([await stage.call(opened), said("/me")]).toEqual([200, ["invalid_dpop_proof", "ok", "ok", "ok"]]);
  });

  it("is corrected at the token endpoint, too, in the same attempt", async () => {
    const { stage, open, signIn, said } = boundScene({ window: 30 });
    stage.clock.jump(10 * MINUTE);
    const app = await open();
    await signIn(app);
    expect([await stage.clock.until(app.session.refresh()), said("/token"), app.count("refresh-failed")]).toEqual([
      "refreshed",
      ["invalid_dpop_proof", "ok"],
      0,
    ]);
  });

  it("that nothing tells is wrong ends no session: not now, and the API's answer is passed on without a refresh", async () => {
    const { stage, servers, open, signIn, said } = boundScene({ window: 30, server: { format: "opaque" } });
    const app = await open();
    await signIn(app);
    servers.window = -1;
    expect([await stage.call(app), await stage.outcome(app.session.refresh()), app.status()]).toEqual([401, "server", "signed-in"]);
    expect([said("/me"), said("/token")]).toEqual([["invalid_dpop_proof"], ["invalid_dpop_proof"]]);
    servers.window = Infinity;
    await stage.clock.advance(10 * MINUTE);
    expect(await stage.call(app)).toBe(200);
  });
});

describe("the key of a login", () => {
  it("is one for all tabs and after a reload until a sign-in takes it, and then another one", async () => {
    const { stage, open, signIn } = boundScene();
    const [one, other] = [await open(), await open()];
    const key = idOf(await stage.clock.until(one.proofs.keyPair()));
    expect(idOf(await stage.clock.until(other.proofs.keyPair()))).toBe(key);
    one.tab.close();
    const reloaded = await open();
    expect(await signIn(reloaded)).toBe(key);
    expect(idOf(await stage.clock.until(reloaded.proofs.keyPair()))).not.toBe(key);
    expect(await stage.call(reloaded), "the session keeps its own").toBe(200);
  });

  it("outlasts the end of the session before", async () => {
    const { stage, open, signIn } = boundScene();
    const app = await open();
    await signIn(app);
    const key = idOf(await stage.clock.until(app.proofs.keyPair()));
    await stage.clock.until(app.session.signOut());
    await stage.clock.advance(SECOND);
    expect(idOf(await stage.clock.until((await open()).proofs.keyPair()))).toBe(key);
  });

  it("is missing: a sign-in with bound tokens says so, and begins no session", async () => {
    const { stage, bind, open } = boundScene();
    const app = await open();
    const signIn = app.session.signIn(bind(stage.server.signIn(), "elsewhere"));
    expect([await stage.outcome(signIn), app.status()]).toEqual(["configuration", "signed-out"]);
  });

  it("may be the app's own: not extractable, on the curve P-256", async () => {
    const { stage, bind, open, judged } = boundScene();
    const app = await open();
    const key = (changes: object) => {
      const algorithm = { name: "ECDSA", namedCurve: "P-256" };
      return {
        privateKey: { type: "private", extractable: false, algorithm, id: "own", ...changes },
        publicKey: { type: "public", algorithm, id: "own" },
      } as unknown as CryptoKeyPair;
    };
    for (const changes of [{ extractable: true }, { algorithm: { namedCurve: "P-384" } }, { type: "public" }])
      await expect(app.session.signIn({ ...bind(stage.server.signIn(), "own"), dpopKeyPair: key(changes) })).rejects.toThrow(TypeError);
    await stage.clock.until(app.session.signIn({ ...bind(stage.server.signIn(), "own"), dpopKeyPair: key({}) }));
    expect([await stage.call(app), judged.at(-1)?.proof?.key]).toEqual([200, "own"]);
  });

  it("that is gone from the record ends the session in all tabs, and nothing is sent", async () => {
    const { stage, judged, open, signIn } = boundScene();
    const app = await open();
    await signIn(app);
    app.tab.close();
    const [name = ""] = stage.world.stores.names();
    const record = storedIn(stage);
    stage.world.stores.plant(name, { ...record, tokens: { ...record.tokens, binding: { ...record.tokens?.binding, keyPair: {} } } });
    const next = await open();
    expect([next.status(), await stage.call(next), judged.length]).toEqual(["signed-out: credential-lost", 401, 1]);
    expect(storedIn(stage)).toMatchObject({ signedIn: false, reason: "credential-lost" });
  });
});

describe("what the server calls a bearer token", () => {
  it("is an error at a sign-in and at a refresh, since the protection is missing; and the session goes on", async () => {
    const { stage, servers, bind, open, signIn } = boundScene();
    const app = await open();
    servers.type = "Bearer";
    expect(await stage.outcome(app.session.signIn(bind(stage.server.signIn(), "k")))).toBe("unsupported-token-type");
    servers.type = "DPoP";
    await signIn(app);
    servers.type = "Bearer";
    expect([await stage.outcome(app.session.refresh()), app.status()]).toEqual(["unsupported-token-type", "signed-in"]);
  });

  it("is sent as such with `acceptBearer`, and the refresh token stays bound", async () => {
    const { stage, servers, open, signIn, judged, said } = boundScene({ dpop: { acceptBearer: true } });
    servers.type = "Bearer";
    const app = await open();
    const key = await signIn(app);
    expect([await stage.call(app), judged.at(-1)?.proof]).toEqual([200, undefined]);
    expect([await stage.clock.until(app.session.refresh()), said("/token"), judged.at(-1)?.proof?.key]).toEqual(["refreshed", ["ok"], key]);
  });

  it("with `acceptBearer`, keeps the key of its own login, also when the sign-in of another tab has taken it", async () => {
    const { stage, servers, bind, open, signIn } = boundScene({ dpop: { acceptBearer: true } });
    servers.type = "Bearer";
    const [app, other] = [await open(), await open()];
    const key = idOf(await stage.clock.until(app.proofs.keyPair()));
    await signIn(other, "grace");
    await stage.clock.until(app.session.signIn(bind(stage.server.signIn("ada"), key)));
    await stage.clock.advance(2 * SECOND);
    expect(await stage.outcome(app.session.refresh())).toBe("refreshed");
  });

  it("of a session from before `dpop` serves on, and the next renewal binds it", async () => {
    const { stage, open, judged } = boundScene();
    const before = await stage.signedIn();
    before.tab.close();
    const app = await open();
    expect([app.status(), await stage.call(app)]).toEqual(["signed-in", 200]);
    expect(await stage.clock.until(app.session.refresh())).toBe("refreshed");
    expect([await stage.call(app), judged.at(-1)?.proof?.key]).toEqual([200, expect.stringMatching(/^key/)]);
  });
});

describe("audiences", () => {
  const billing = "https://billing.example.test";

  it("have proofs with the one key, and a nonce of their own", async () => {
    const { stage, open, signIn, said, judged } = boundScene({
      nonces: true,
      session: { audiences: audiences({ [API]: {} }), allowedOrigins: [] },
    });
    const app = await open();
    const key = await signIn(app);
    expect([await stage.call(app), await stage.call(app), said("/me")]).toEqual([200, 200, ["use_dpop_nonce", "ok", "ok"]]);
    expect([said("/token"), new Set(judged.map(({ proof }) => proof?.key))]).toEqual([["use_dpop_nonce", "ok"], new Set([key])]);
  });

  it("bind a session from before `dpop` without its own token, which stays a bearer token", async () => {
    const { stage, open, judged } = boundScene({ session: { audiences: audiences({ [billing]: {} }) } });
    const before = await stage.signedIn();
    before.tab.close();
    const app = await open();
    expect(await stage.clock.until(app.session.getToken({ audience: billing }))).toEqual(expect.any(String));
    expect([judged.map(({ proof }) => proof?.htu), storedIn(stage).bound]).toEqual([[TOKEN_ENDPOINT], true]);
    expect([await stage.call(app), judged.at(-1)?.proof]).toEqual([200, undefined]);
    expect(await stage.clock.until(app.session.refresh())).toBe("refreshed");
    expect([await stage.call(app), judged.at(-1)?.proof?.htu]).toEqual([200, `${API}/me`]);
  });
});

describe("a session without the option `dpop`", () => {
  it("R86 takes bound tokens for a newer release's: it sends nothing, writes nothing, and ends nothing", async () => {
    const { stage, judged, open, signIn } = boundScene();
    const app = await open();
    await signIn(app);
    const before = storedIn(stage);
    const plain = await stage.open();
    const [status, called, refreshed] = [
      plain.status(),
      await stage.outcome(plain.session.fetch(`${API}/me`)),
      await stage.outcome(plain.session.refresh()),
    ];
    expect([status, called, refreshed]).toEqual(["signed-in", "newer-release", "newer-release"]);
    expect([storedIn(stage), judged]).toEqual([before, []]);
    expect(await stage.call(app)).toBe(200);
  });

  it.each(["a sign-in", "a sign-out and a sign-in"])(
    "R86 replaces bound tokens by %s, as after a release that was taken back",
    async (how) => {
      const { stage, open, signIn } = boundScene();
      const app = await open();
      await signIn(app);
      app.bare.dispose();
      const plain = await stage.open();
      if (how !== "a sign-in") {
        await stage.clock.until(plain.session.signOut());
        expect((await stage.open()).status()).toBe("signed-out: user");
      }
      await stage.clock.until(plain.session.signIn(stage.server.signIn("grace")));
      expect([plain.status(), await stage.call(plain), await stage.call(await stage.open())]).toEqual(["signed-in", 200, 200]);
    },
  );
});

describe("memory mode", () => {
  it("hands the key to the other tabs with the access token; they sign with it, and cannot renew", async () => {
    const { stage, judged, open, signIn } = boundScene({ shares: true, session: { persist: memory() } });
    const owner = await open();
    const key = await signIn(owner);
    const sibling = await open();
    expect([sibling.status(), await stage.call(sibling), judged.at(-1)?.proof?.key]).toEqual(["signed-in", 200, key]);
    expect(JSON.stringify(storedIn(stage))).not.toContain("keyPair");
    expect(await stage.clock.until(sibling.session.refresh())).toBe("adopted");
    expect(await stage.call(sibling)).toBe(200);
  });

  it("leaves the other tabs without a token where the browser cannot hand keys over, and they hear of all else", async () => {
    const { stage, open, signIn } = boundScene({ session: { persist: memory() } });
    const refuses = () => {
      const tab = stage.world.tab();
      const openChannel: NonNullable<Environment["openChannel"]> = (name) => {
        const channel = tab.environment.openChannel!(name);
        const post = channel.postMessage.bind(channel);
        channel.postMessage = (message) => {
          if (JSON.stringify(message).includes("keyPair")) throw new DOMException("The object can not be cloned.", "DataCloneError");
          post(message);
        };
        return channel;
      };
      return {
        tab,
        options: { environment: Object.create(tab.environment, { openChannel: { value: openChannel }, crypto: { value: instantCrypto } }) },
      };
    };
    const [first, second] = [refuses(), refuses()];
    const owner = await open(first.options, first.tab);
    await signIn(owner);
    const sibling = await open(second.options, second.tab);
    expect([sibling.bare.peekToken(), await stage.call(owner)]).toEqual([null, 200]);
    await stage.clock.until(owner.session.signOut());
    await stage.clock.advance(SECOND);
    expect(sibling.status()).toMatch(/^signed-out/);
  });
});

describe("`dpop`", () => {
  const refresh = () => "token";
  const { environment } = new World().tab();
  const make = (options: object) => createSession({ name: "a", refresh, environment, ...options });

  it("is refused where the strategy sends no proofs, and for a second session", () => {
    for (const strategy of [cookie({ url: "/renew" }), sliding({ url: "/renew" })])
      expect(() => make({ refresh: strategy, dpop: dpop() })).toThrow(/^dpop: refresh must be oauth2/);
    const proofs = dpop();
    const first = make({ dpop: proofs });
    expect(() => make({ dpop: proofs })).toThrow(/^dpop: each session needs an object of its own/);
    first.dispose();
    make({ dpop: proofs }).dispose();
  });

  it("refuses wrong options, and says what to do before there is a session", async () => {
    expect(() => dpop({ acceptBearers: true } as object)).toThrow("dpop: no option acceptBearers; there are acceptBearer");
    expect(() => dpop({ acceptBearer: 1 } as object)).toThrow(TypeError);
    await expect(dpop().keyPair()).rejects.toThrow("dpop: give this object to createSession({ dpop }) first");
    expect(() => make({ dpop: {} })).toThrow("createSession: dpop must be dpop(), imported from tokentide; it is object");
  });

  it("needs WebCrypto, which a page without https does not have", async () => {
    const stage = scene();
    const proofs = dpop();
    const tab = stage.world.tab();
    await stage.open({ dpop: proofs, environment: { ...tab.environment, crypto: undefined } }, { tab });
    await expect(stage.clock.until(proofs.keyPair())).rejects.toMatchObject({ code: "configuration" });
  });

  it("that cannot sign ends nothing, and no rotation counts as lost", async () => {
    const { stage, open, signIn, said } = boundScene();
    const tab = stage.world.tab();
    let breaks = false;
    const sign = async (...given: Parameters<SubtleCrypto["sign"]>) => {
      if (breaks) throw new DOMException("no", "OperationError");
      return instantCrypto!.subtle.sign(...given);
    };
    const subtle = { ...instantCrypto!.subtle, sign };
    const environment = Object.create(tab.environment, { crypto: { value: { ...instantCrypto, subtle } } });
    const app = await open({ environment }, tab);
    await signIn(app);
    breaks = true;
    const failed = (promise: Promise<unknown>) => stage.clock.until(promise.catch(({ code, lost }) => [code, lost]));
    expect(await failed(app.session.refresh())).toEqual(["storage", false]);
    expect(await failed(app.session.fetch(`${API}/me`))).toEqual(["storage", false]);
    expect([said("/"), app.status()]).toEqual([[], "signed-in"]);
    breaks = false;
    await stage.clock.advance(10 * MINUTE);
    expect(await stage.call(app)).toBe(200);
  });

  it("names what is wrong with the request of a proof", async () => {
    const { open } = boundScene();
    const { proofs } = await open();
    await expect(proofs.proof({ url: "/socket" })).rejects.toThrow(
      'proof: url must be an absolute address, such as "https://api.example.com/socket"',
    );
    await expect(proofs.proof("secret" as never)).rejects.toThrow(
      /^proof: expected an object with url, method, accessToken; it is string$/,
    );
  });

  it("takes an answer after a redirect from an odd transport for another server's", async () => {
    const { stage, open, signIn } = boundScene();
    const app = await open();
    await signIn(app);
    const answer = { status: 401, redirected: true, headers: new Headers({ "dpop-nonce": "n" }) } as Response;
    const call = app.session.wrap(async () => answer)(`${API}/me`);
    expect(await stage.clock.until(call)).toBe(answer);
  });

  it("makes a proof for what does not go through the session, with the present token and nonce", async () => {
    const { stage, open, signIn } = boundScene({ nonces: true });
    const app = await open();
    await expect(stage.clock.until(app.proofs.proof({ url: `${API}/socket` }))).rejects.toMatchObject({ code: "signed-out" });
    const key = await signIn(app);
    await stage.call(app);
    const proof = await stage.clock.until(app.proofs.proof({ url: new URL(`${API}/socket?x`), method: "get" }));
    const [head, payload] = proof.split(".").map((part, at) => at < 2 && JSON.parse(Buffer.from(part, "base64url").toString()));
    expect([head.jwk.x, payload]).toMatchObject([key, { htm: "GET", htu: `${API}/socket`, nonce: "api-1", ath: expect.any(String) }]);
  });
});
