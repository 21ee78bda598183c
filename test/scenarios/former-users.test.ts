import { describe, expect, it } from "vitest";
import { audiences, cookie, renewalHeader, type SessionOptions, tokenPair } from "../../src/index.js";
import { memory } from "../../src/session/memory.js";
import { makeJwt } from "../../src/testing/jwt.js";
import { json } from "../../src/testing/reply.js";
import { API } from "../../src/testing/token-server.js";
import type { App } from "../support/app.js";
import { type Scene, type SceneOptions, SECOND, scene } from "../support/scene.js";

const BILLING = "https://billing.example.test";

/** The API answers after two seconds. */
function slow(options: SceneOptions = {}): Scene {
  const stage = scene(options);
  stage.server.apiLatency = () => 2 * SECOND;
  return stage;
}

const signIn = (stage: Scene, app: App, subject: string) => stage.clock.until(app.session.signIn(stage.server.signIn(subject)));

/** What becomes of a call that the API has when `meanwhile` happens: its status, or the code of its error. */
async function outcome(stage: Scene, { session }: App, meanwhile: () => Promise<unknown>, init?: RequestInit, url = `${API}/me`) {
  const call = session.fetch(url, init).then(
    ({ status }) => status,
    (error: { code?: string }) => error.code ?? error,
  );
  await stage.clock.advance(500);
  await meanwhile();
  return stage.clock.until(call);
}

/** A call by a transport of its own, which answers with `response` once the user has changed. */
async function answered(response: unknown, options: Partial<SessionOptions> = {}): Promise<unknown> {
  const stage = scene();
  const app = await stage.signedIn(options);
  let answer = (_: unknown) => {};
  const call = app.session.wrap(() => new Promise((resolve) => (answer = resolve as typeof answer)))(`${API}/me`);
  const settled = call.catch((error: unknown) => error);
  await signIn(stage, app, "grace");
  answer(response);
  return stage.clock.until(settled);
}

describe("an answer to a call of a former user", () => {
  it("R54 rejects, with its status, and says that the request may have been carried out", async () => {
    expect(await answered(new Response("ada's", { status: 201 }))).toMatchObject({
      name: "SessionError",
      code: "user-changed",
      status: 201,
      lost: true,
    });
  });

  it("R54 is not read: its body is cancelled, and an event stream ends", async () => {
    const cancelled: string[] = [];
    for (const type of ["application/json", "text/event-stream"]) {
      const body = new ReadableStream({ cancel: () => void cancelled.push(type) });
      await answered(new Response(body, { headers: { "content-type": type } }));
    }
    expect(cancelled).toEqual(["application/json", "text/event-stream"]);
  });

  it("R54 rejects also where a reader of the transport has its body", async () => {
    const response = new Response("ada's");
    response.body?.getReader();
    expect(await answered(response)).toMatchObject({ code: "user-changed" });
  });

  it.each([
    ["undefined", undefined, undefined],
    ["an object with a status", { status: 418 }, 418],
    ["Response.error()", Response.error(), 0],
    ["an answer of another origin", Object.defineProperties(new Response(), { redirected: { value: true }, url: { value: BILLING } }), 200],
  ])("R54 rejects also where the transport gave %s", async (_, response, status) => {
    expect(await answered(response)).toMatchObject({ code: "user-changed", status });
  });

  it("R54 rejects in each tab where another tab has the sign-in", async () => {
    const stage = slow();
    const app = await stage.signedIn();
    const other = await stage.open();
    expect(await outcome(stage, app, () => signIn(stage, other, "grace"))).toBe("user-changed");
    expect(app.count("user-changed")).toBe(1);
  });

  it("R54 rejects after a sign-out and a sign-in by another user", async () => {
    const stage = slow();
    const app = await stage.signedIn();
    const meanwhile = async () => {
      await stage.clock.until(app.session.signOut());
      await signIn(stage, app, "grace");
    };
    expect(await outcome(stage, app, meanwhile)).toBe("user-changed");
    expect(app.count("user-changed")).toBe(0);
  });

  it.each([
    ["the user has signed out", []],
    ["the same user has signed in again", ["ada"]],
    ["the same user is back after another one", ["grace", "ada"]],
  ])("R54 is handed over where %s", async (_, subjects) => {
    const stage = slow();
    const app = await stage.signedIn();
    const meanwhile = async () => {
      await stage.clock.until(app.session.signOut());
      for (const subject of subjects) await signIn(stage, app, subject);
    };
    expect(await outcome(stage, app, meanwhile)).toBe(200);
  });

  it.each([
    ["goes to another origin", undefined, `${BILLING}/me`],
    ["has its own Authorization header", { headers: { authorization: "Basic xyz" } }, undefined],
  ])("R54 is handed over where the call %s", async (_, init, url) => {
    const stage = slow();
    const app = await stage.signedIn();
    expect(await outcome(stage, app, () => signIn(stage, app, "grace"), init, url)).toBe(401);
  });

  it("R54 is handed over where nobody was signed in when the call was sent", async () => {
    const stage = slow();
    const app = await stage.open();
    expect(await outcome(stage, app, () => signIn(stage, app, "grace"))).toBe(401);
  });

  it("R54 keeps its body where it was handed over before", async () => {
    const stage = scene();
    stage.server.apiAnswer = () => ({ status: 200, body: "ada's", bodyDelay: 2 * SECOND });
    const app = await stage.signedIn();
    const response = await stage.clock.until(app.session.fetch(`${API}/me`));
    const text = response.text();
    await signIn(stage, app, "grace");
    expect(await stage.clock.until(text)).toBe("ada's");
  });
});

describe("a call of a former user that is not over with its first answer", () => {
  it("R54 a 401 that came before and waits for a renewal rejects", async () => {
    const stage = scene();
    stage.server.latency = { before: () => 2 * SECOND, after: () => 0 };
    const app = await stage.signedIn();
    stage.server.grants.expireAccessTokens();
    const init = { method: "POST", body: "ada's" };
    expect(await outcome(stage, app, () => signIn(stage, app, "grace"), init)).toBe("user-changed");
    expect(stage.server.apiCalls.map(({ bearer }) => bearer)).toEqual([1]);
  });

  it.each([200, 401])("R54 the %i for what was sent again rejects, and costs the new user nothing", async (status) => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.apiAnswer = ({ bearer }) => ({ status: bearer === 1 ? 401 : status });
    stage.server.apiLatency = () => (stage.server.apiCalls.length > 1 ? 2 * SECOND : 0);
    expect(await outcome(stage, app, () => signIn(stage, app, "grace"))).toBe("user-changed");
    expect(stage.server.apiCalls.map(({ bearer }) => bearer)).toEqual([1, 2]);
    // Renewals for a 401 that cured nothing would be paced.
    stage.server.apiLatency = () => 0;
    stage.server.apiAnswer = ({ bearer }) => (bearer === 3 ? { status: 401 } : undefined);
    expect(await stage.call(app)).toBe(200);
  });

  it("R54 `classify` is not asked about it", async () => {
    const asked: (number | undefined)[] = [];
    const classify: SessionOptions["classify"] = ({ response }) => {
      asked.push(response?.status);
      return response ? "sign-out" : "refresh";
    };
    const stage = slow({ session: { classify } });
    const app = await stage.signedIn();
    expect(await outcome(stage, app, () => signIn(stage, app, "grace"))).toBe("user-changed");
    expect([asked, app.status(), stage.server.apiCalls.length]).toEqual([[], "signed-in", 1]);
  });

  it.each(["ok", "refresh", "sign-out"] as const)("R54 rejects where the user changes while `classify` comes to %j", async (verdict) => {
    let stage: Scene | undefined;
    const classify = async () => {
      await new Promise<void>((resolve) => stage?.clock.elsewhere(2 * SECOND, resolve));
      return verdict;
    };
    stage = scene({ session: { classify } });
    const app = await stage.signedIn();
    expect(await outcome(stage, app, () => signIn(stage!, app, "grace"))).toBe("user-changed");
    expect([app.status(), stage.server.apiCalls.length]).toEqual(["signed-in", 1]);
  });

  it("R54 the failure of a transport is the transport's own", async () => {
    const stage = slow();
    stage.server.apiAnswer = () => "lost" as never;
    const app = await stage.signedIn();
    expect(await outcome(stage, app, () => signIn(stage, app, "grace"))).toBeInstanceOf(TypeError);
  });

  it("R54 a token in its header is not taken", async () => {
    const stage = slow({ session: { renewalHeader: renewalHeader("x-renewed-token") } });
    const exp = Math.floor(stage.clock.worldNow() / 1000) + 7200;
    stage.server.apiAnswer = () => json(200, {}, { "x-renewed-token": makeJwt({ sub: "ada", client_id: "spa", exp }) });
    const app = await stage.signedIn();
    expect(await outcome(stage, app, () => signIn(stage, app, "grace"))).toBe("user-changed");
    await stage.clock.advance(SECOND);
    expect([stage.serial(app), app.count("refreshed")]).toEqual([2, 0]);
  });
});

/** The event and the calls agree on whether the user is another one. */
describe("where tokens name no subject, or are not in this tab", () => {
  it("R54 a later sign-in with opaque tokens counts as another user's, and a renewal does not", async () => {
    const stage = slow({ server: { format: "opaque" } });
    const app = await stage.signedIn();
    expect(await outcome(stage, app, () => stage.clock.until(app.session.refresh()))).toBe(200);
    expect(await outcome(stage, app, () => signIn(stage, app, "ada"))).toBe("user-changed");
    expect(app.count("user-changed")).toBe(1);
  });

  it("R54 an API of an audience: though the new user has no token for it yet", async () => {
    const stage = slow({ session: { audiences: audiences({ [BILLING]: {} }) } });
    const app = await stage.signedIn();
    await stage.clock.until(app.session.getToken({ audience: BILLING }));
    const url = `${BILLING}/me`;
    expect(await outcome(stage, app, () => signIn(stage, app, "ada"), undefined, url)).toBe(200);
    await stage.clock.until(app.session.getToken({ audience: BILLING }));
    expect(await outcome(stage, app, () => signIn(stage, app, "grace"), undefined, url)).toBe("user-changed");
  });

  it.each([
    ["the same user's, by the id token", "ada", 200],
    ["another user's, by the id token", "grace", "user-changed"],
    ["of an unknown user", undefined, "user-changed"],
  ])("R54 access tokens in a cookie: a sign-in that is %s", async (_, sub, expected) => {
    const stage = slow();
    stage.server.apiAnswer = () => json(200, {});
    const tokens = (subject?: string) => ({ refreshToken: "r", expiresIn: 300, ...(subject && { idToken: makeJwt({ sub: subject }) }) });
    const app = await stage.open({ refresh: tokenPair({ url: `${API}/renew`, accessTokenField: null, credentials: "include" }) });
    await stage.clock.until(app.session.signIn(tokens("ada") as never));
    const again = () => stage.clock.until(app.session.signIn(tokens(sub) as never));
    expect([await outcome(stage, app, again), app.count("user-changed")]).toEqual([expected, expected === 200 ? 0 : 1]);
  });

  it.each([
    ["ada", 200, 0],
    ["grace", "user-changed", 1],
  ])("R54 in memory mode, where %s signs in in the other tab", async (subject, expected, events) => {
    const stage = slow({ shares: true, session: { persist: memory() } });
    const app = await stage.signedIn();
    const other = await stage.open();
    const meanwhile = async () => {
      await signIn(stage, other, subject);
      await stage.clock.advance(SECOND);
    };
    expect([await outcome(stage, app, meanwhile), app.count("user-changed")]).toEqual([expected, events]);
  });

  it("R54 in memory mode without shared tokens, where this tab has no token of the new session", async () => {
    const session = { persist: memory({ shareAccessToken: false }), refresh: cookie({ url: `${API}/renew` }) } as const;
    const stage = slow({ session });
    const tokenOf = (subject: string) => ({ accessToken: stage.server.signIn(subject).access_token });
    const app = await stage.signedIn({}, tokenOf("ada") as never);
    const other = await stage.open();
    const meanwhile = async () => {
      await stage.clock.until(other.session.signIn(tokenOf("grace")));
      await stage.clock.advance(SECOND);
    };
    expect([await outcome(stage, app, meanwhile), app.count("user-changed")]).toEqual(["user-changed", 1]);
  });
});
