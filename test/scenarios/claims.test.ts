import { describe, expect, it } from "vitest";
import { createSession, renewalHeader } from "../../src/index.js";
import { makeJwt } from "../../src/testing/jwt.js";
import { API } from "../../src/testing/token-server.js";
import type { SessionOptions } from "../../src/types/index.js";
import { HOUR, type Scene, SECOND, scene } from "../support/scene.js";

/** What each renewal says beside what the server says anyway. */
function saying(stage: Scene, claims: Record<string, unknown>): void {
  stage.server.grants.options.claims = claims;
}

async function renewed(first: Record<string, unknown>, later: Record<string, unknown>, session: Partial<SessionOptions> = {}) {
  const stage = scene({ server: { claims: first }, session });
  const app = await stage.signedIn();
  const before = app.bare.getSnapshot().claims;
  saying(stage, later);
  await stage.outcome(app.session.refresh());
  return { stage, app, before, after: app.bare.getSnapshot().claims };
}

describe("R66 the subject of a renewal", () => {
  it.each(["sub", "client_id", "azp"])("is the same where %s says the same", async (name) => {
    for (const [first, later] of [
      [42, "42"],
      ["42", 42],
      [
        { tenant: "t", id: 7 },
        { id: "7", tenant: "t" },
      ],
      [
        ["a", "b"],
        ["b", "a"],
      ],
    ]) {
      const { stage, app } = await renewed({ [name]: first }, { [name]: later });
      await stage.clock.advance(2 * HOUR);
      expect([app.status(), app.count("claims-changed"), await stage.call(app)]).toEqual(["signed-in", 0, 200]);
    }
  });

  it.each([
    [42, 43],
    [{ id: 1 }, { id: 2 }],
    [{ id: 1 }, { id: 1, tenant: "t" }],
    ["ada", ""],
  ])("is another one where it was %j and is %j", async (first, later) => {
    const { app } = await renewed({ sub: first }, { sub: later });
    expect(app.status()).toBe("signed-out: subject-changed");
  });

  it("is compared by what it says where an API hands over a later token, too", async () => {
    const stage = scene({ session: { renewalHeader: renewalHeader("x-token") }, server: { claims: { sub: { id: 7 } } } });
    const app = await stage.signedIn();
    const now = stage.clock.now() / 1_000;
    const later = makeJwt({ sub: { id: "7" }, iat: now, exp: now + 7_200 });
    stage.server.apiAnswer = () => ({ status: 200, headers: { "x-token": later } });
    await stage.call(app);
    await stage.clock.advance(SECOND);
    expect([app.bare.peekToken() === later, app.count("refreshed")]).toEqual([true, 1]);
  });
});

describe("R66 who signs in", () => {
  it("is the same user where the subject says the same, and a call goes on", async () => {
    const stage = scene({ server: { claims: { sub: { id: 7, tenant: "t" } } } });
    const app = await stage.signedIn();
    stage.server.apiLatency = () => 2 * SECOND;
    stage.server.apiAnswer = ({ bearer }) => (bearer === 1 ? { status: 401 } : undefined);
    const call = app.session.fetch(`${API}/orders`, { method: "POST", body: "ada's" });
    await stage.clock.advance(500);
    saying(stage, { sub: { tenant: "t", id: "7" } });
    await stage.clock.until(app.session.signIn(stage.server.signIn()));
    expect((await stage.clock.until(call)).status).toBe(200);
    expect(app.events()).toEqual(["signed-in", "refreshed"]);
  });

  it.each([
    [{ id: 7 }, { id: 8 }],
    [null, null],
  ])("is another user where it was %j and is %j", async (first, later) => {
    const stage = scene({ server: { claims: { sub: first } } });
    const app = await stage.signedIn();
    stage.server.apiLatency = () => 2 * SECOND;
    stage.server.apiAnswer = ({ bearer }) => (bearer === 1 ? { status: 401 } : undefined);
    const call = app.session.fetch(`${API}/orders`, { method: "POST", body: "ada's" });
    await stage.clock.advance(500);
    saying(stage, { sub: later });
    await stage.clock.until(app.session.signIn(stage.server.signIn()));
    await stage.clock.until(call.catch(() => {}));
    expect(stage.server.apiCalls.map(({ bearer }) => bearer)).toEqual([1]);
    expect(app.events()).toEqual(["signed-in", "user-changed"]);
  });
});

describe("R67 claims that changed", () => {
  it("are those of a new id token beside the same access token", async () => {
    const stage = scene();
    const answer = (role: string) => ({ access_token: "opaque", expires_in: 3_600, id_token: makeJwt({ sub: "ada", role }) });
    const app = await stage.signedIn({ name: "app", refresh: () => answer("user") }, answer("admin"));
    await stage.clock.until(app.session.refresh());
    await stage.clock.advance(SECOND);
    expect([app.bare.getSnapshot().claims?.role, app.count("claims-changed")]).toEqual(["user", 1]);
  });

  const first = {
    roles: ["reader", "writer"],
    address: { town: "b", zip: 1 },
    groups: [{ id: 1, name: "x" }, { id: 2 }],
    uti: "1",
    aio: "1",
    rh: "1",
  };
  const reordered = {
    address: { zip: 1, town: "b" },
    groups: [{ id: 2 }, { name: "x", id: 1 }],
    roles: ["writer", "reader"],
    uti: "2",
    aio: "2",
    rh: "2",
  };

  it("are none that say the same, and keep their identity", async () => {
    const { app, before, after } = await renewed(first, reordered);
    expect([app.count("refreshed"), app.count("claims-changed")]).toEqual([1, 0]);
    for (const name of ["roles", "address", "groups"] as const) expect(after?.[name]).toBe(before?.[name]);
    expect([after?.uti, after?.jti === before?.jti]).toEqual(["2", false]);
  });

  it("are told beside others that did not, which keep their identity", async () => {
    const { app } = await renewed(first, { ...reordered, roles: ["reader"] });
    const [change, ...more] = app.payloads("claims-changed");
    expect([change?.after?.roles, more]).toEqual([["reader"], []]);
    expect(change?.after?.address).toBe(change?.before?.address);
  });

  it("may be named that are no news", async () => {
    const [one, other] = [
      { request: "1", trace: { id: 1 } },
      { request: "2", trace: { id: 2 } },
    ];
    expect((await renewed(one, other)).app.count("claims-changed")).toBe(1);
    const { app, after } = await renewed(one, other, { volatileClaims: ["request", "trace"] });
    expect([app.count("claims-changed"), after]).toEqual([0, expect.objectContaining(other)]);
  });

  it("are none of an id token that lacks what was of the login alone", async () => {
    const idToken = (claims: object) => ({ id_token: makeJwt({ sub: "ada", ...claims }) });
    const stage = scene({ server: { format: "opaque", response: idToken({ nonce: "n", c_hash: "c", at_hash: "a" }) } });
    const app = await stage.signedIn();
    stage.server.grants.options.response = idToken({ at_hash: "b" });
    await stage.clock.until(app.session.refresh());
    expect(app.count("claims-changed")).toBe(0);
  });

  it("are the same object while the token that they are of stays", async () => {
    const stage = scene({ server: { format: "opaque", response: { id_token: makeJwt({ sub: "ada", roles: ["a"] }) } } });
    const app = await stage.signedIn();
    const { claims } = app.bare.getSnapshot();
    await stage.clock.until(app.session.refresh());
    expect(app.bare.getSnapshot().claims).toBe(claims);
  });

  it.each(["uti", 7, {}])("of an option %j are a TypeError that names it", (volatileClaims) => {
    const options = { refresh: () => "token", name: "app", volatileClaims, environment: scene().world.tab().environment };
    expect(() => createSession(options as unknown as SessionOptions)).toThrow(/volatileClaims/);
  });
});
