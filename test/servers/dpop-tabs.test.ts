import { describe, expect, it } from "vitest";
import { about, keysOf, ME, start, words } from "./dpop-page.js";

describe("pages and tabs of a session that is bound to a key, on oidc-provider", () => {
  it.each([true, false])("two tabs have one key, and one refresh for both: rotation %s", async (rotate) => {
    const { page, open, device, clock, servers, call, failures } = await start({ rotate });
    const tab = device.tab();
    const second = await open(tab);
    await clock.until(second.session.ready);
    expect([await call(), await call(second)]).toEqual([200, 200]);
    await clock.advance(2000);
    const both = await clock.until(Promise.all([page.session.refresh(), second.session.refresh()]));
    expect(both.sort()).toEqual(["adopted", "refreshed"]);
    expect([await call(), await call(second)]).toEqual([200, 200]);
    const requests = servers.seen();
    expect(words(requests)).toEqual(["me 200", "me 200", "token use_dpop_nonce", "token 200", "me 200", "me 200"]);
    expect([keysOf(requests).size, failures]).toEqual([1, []]);
  });

  it("a page that is loaded again has the key, the nonce, and the time of the servers", async () => {
    const { page, open, device, servers, call, refresh, failures } = await start({ nonces: "never", ahead: 3_600_000, rotate: true });
    await call();
    expect(await refresh()).toBe("refreshed");
    const key = keysOf(servers.seen());
    page.session.dispose();
    const next = await open(device.environment);
    expect([await call(next), await refresh(next), await call(next)]).toEqual([200, "refreshed", 200]);
    const requests = servers.seen();
    expect(words(requests), "nothing has to be learnt again").toEqual(["me 200", "token 200", "me 200"]);
    expect([keysOf(requests), failures]).toEqual([key, []]);
  });

  it("a page that is loaded again has the nonce of the token endpoint", async () => {
    const { page, open, device, servers, refresh } = await start();
    await refresh();
    page.session.dispose();
    const next = await open(device.environment);
    servers.seen();
    expect(await refresh(next)).toBe("refreshed");
    expect(words(servers.seen())).toEqual(["token 200"]);
  });

  it("a second login of the same user, and another user, each have a key of their own, in all tabs", async () => {
    const { page, device, clock, servers, logIn, call, failures } = await start();
    await call();
    const keys = [keysOf(servers.seen())];
    const former = device.stored().refreshToken;
    for (const user of ["ada", "bob"]) {
      const other = await logIn(user, device.tab());
      await clock.advance(1000);
      servers.seen();
      expect([await call(other), await call()], user).toEqual([200, 200]);
      expect(page.session.getSnapshot().claims?.sub).toBe(user);
      const of = keysOf(servers.seen());
      expect(of.size, "one key for both tabs").toBe(1);
      const { publicKey } = await clock.until(other.proofs.keyPair());
      expect((await crypto.subtle.exportKey("jwk", publicKey)).x, "the next login in this page has another key").not.toBe(
        JSON.parse([...of][0]!).x,
      );
      keys.push(of);
    }
    expect(new Set(keys.flatMap((each) => [...each])).size).toBe(3);
    expect(device.stored().refreshToken).not.toBe(former);
    expect(failures).toEqual([]);
  });

  it("a login in two tabs at once uses one key, and each of them ends signed in", async () => {
    const { device, clock, servers, open, call, failures } = await start();
    const tabs = [await open(device.tab()), await open(device.tab())] as const;
    const [first, second] = await clock.until(Promise.all(tabs.map((tab) => tab.proofs.keyPair())));
    const jwks = await Promise.all([first, second].map((pair) => crypto.subtle.exportKey("jwk", pair!.publicKey)));
    expect(jwks[0]).toEqual(jwks[1]);
    for (const tab of tabs) await clock.until(tab.logIn());
    // The sample keeps what it needs after the redirect in `sessionStorage`, of which this browser has one for all tabs.
    const back = await open(device.tab(), await servers.logIn(tabs[1].left(), "ada"));
    await clock.until(back.finishLogin());
    expect([await call(back), await call(tabs[0]), await call(tabs[1]), failures]).toEqual([200, 200, 200, []]);
  });

  it("`proof` makes a proof that another client sends, with the nonce and the time of the servers", async () => {
    const { page, clock, servers, call, refresh } = await start({ ahead: -3_600_000 });
    servers.api.nonce = "n-1";
    expect(await call()).toBe(200);
    await refresh();
    const url = `${ME.jwt}?of=another`;
    const [proof, token] = await clock.until(Promise.all([page.proofs.proof({ url, method: "PUT" }), page.session.getToken()]));
    const headers = { authorization: `DPoP ${token}`, dpop: proof };
    expect((await servers.network(url, { method: "PUT", headers })).status).toBe(200);
    expect((await servers.network(url, { method: "POST", headers })).status, "for one request").toBe(401);
  });
});

describe("an API that wants nonces", () => {
  it("a call is sent once more with the nonce, with its body, and nothing is renewed for it", async () => {
    const { clock, page, servers, call, me } = await start();
    for (const nonce of ["n-1", "n-2"]) {
      servers.api.nonce = nonce;
      servers.seen();
      const body = new URLSearchParams({ text: "hello" });
      const response = await clock.until(page.session.fetch(new Request(me, { method: "POST", body })));
      expect([response.status, await response.json()]).toEqual([200, { sub: "ada", method: "POST" }]);
      const requests = about(servers.seen());
      expect(words(requests)).toEqual(["me use_dpop_nonce", "me 200"]);
      expect(requests.map(({ form }) => form)).toEqual([{ text: "hello" }, { text: "hello" }]);
      expect(new Set(requests.map(({ proof }) => proof)).size, "a proof for each").toBe(2);
    }
    expect([await call(), words(servers.seen())]).toEqual([200, ["me 200"]]);
  });

  it("ten calls at once each learn the nonce by themselves, and all are answered", async () => {
    const { clock, page, servers, me, failures } = await start();
    servers.api.nonce = "n-1";
    servers.seen();
    const calls = await clock.until(Promise.all(Array.from({ length: 10 }, () => page.session.fetch(me))));
    expect(new Set(calls.map(({ status }) => status))).toEqual(new Set([200]));
    expect(words(servers.seen()).filter((word) => word === "me 200")).toHaveLength(10);
    expect(failures).toEqual([]);
  });

  it("a dead token and a stale nonce at once cost one refresh, and the call is answered", async () => {
    const { clock, servers, call, refresh, failures } = await start({ format: "opaque" });
    await call();
    await refresh();
    servers.seen();
    servers.expire();
    await clock.advance(1_800_000);
    expect(await call()).toBe(200);
    expect(words(servers.seen())).toEqual(["me use_dpop_nonce", "me invalid_token", "token use_dpop_nonce", "token 200", "me 200"]);
    expect(failures).toEqual([]);
  });

  it("whose nonce script cannot read, the 401 is passed on, and the token endpoint is not asked", async () => {
    const { servers, call, failures } = await start();
    servers.api.nonce = "n-1";
    servers.api.exposed = "WWW-Authenticate";
    servers.seen();
    expect(await call()).toBe(401);
    expect([words(servers.seen()), failures]).toEqual([["me use_dpop_nonce"], []]);
    servers.api.exposed = "DPoP-Nonce";
    expect([await call(), words(servers.seen())], "a new nonce says enough").toEqual([200, ["me use_dpop_nonce", "me 200"]]);
  });
});

describe("a challenge of oidc-provider, and then no answer", () => {
  it.each([true, false])("the refresh token is still good, since the challenge has not used it up: rotation %s", async (rotate) => {
    const { page, clock, line, call, failures } = await start({ rotate });
    await clock.advance(2000);
    let sent = 0;
    line.before = ({ pathname }) => {
      if (pathname === "/token" && ++sent === 2) throw new TypeError("Failed to fetch");
    };
    await expect(clock.until(page.session.refresh())).rejects.toMatchObject({ code: "network" });
    expect(failures).toEqual(["network"]);
    await clock.advance(120_000);
    expect([await call(), page.session.getSnapshot().status]).toEqual([200, "signed-in"]);
  });
});
