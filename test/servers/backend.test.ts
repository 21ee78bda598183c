import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { decodeJwt } from "jose";
import { CookieJar } from "tough-cookie";
import { describe, expect, it, onTestFinished } from "vitest";
import { startBackend } from "../../servers/backend/index.js";

type Options = NonNullable<Parameters<typeof startBackend>[0]>;
type Body = Record<string, string>;

const START = Date.UTC(2030, 0, 1);

async function start(options: Options = {}) {
  let time = START;
  const backend = await startBackend({ now: () => time, ...options });
  onTestFinished(() => backend.close().catch(() => {}));
  const jar = new CookieJar();
  async function send(path: string, { json, bearer, headers = {} }: { json?: unknown; bearer?: string; headers?: Body } = {}) {
    const url = backend.url + path;
    const response = await fetch(url, {
      method: path.includes("/api/me") ? "GET" : "POST",
      redirect: "manual",
      headers: { ...headers, cookie: await jar.getCookieString(url), ...(bearer && { authorization: `Bearer ${bearer}` }) },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    for (const line of response.headers.getSetCookie()) await jar.setCookie(line, url);
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: (text ? JSON.parse(text) : {}) as Body };
  }
  const cookies = async (path: string) =>
    Object.fromEntries((await jar.getCookies(backend.url + path)).map(({ key, value }) => [key, value]));
  const pass = (seconds: number) => {
    time += seconds * 1000;
  };
  return { backend, jar, send, cookies, pass };
}

describe("the demo's own back end", () => {
  it("pair: exchanges an expired JWT and its refresh value, once, and recalculates the permissions", async () => {
    const { backend, send, pass } = await start();
    const { body: first } = await send("/pair/sign-in", { json: { user: "ada" } });
    pass(301);
    expect((await send("/pair/api/me", { bearer: first.token! })).body).toEqual({ code: "token_expired" });
    backend.setPermissions("ada", ["read", "write"]);
    const { body: second } = await send("/pair/refresh", { json: first });
    expect(decodeJwt(second.token!)).toMatchObject({ sub: "ada", permissions: ["read", "write"] });
    expect((await send("/pair/api/me", { bearer: second.token! })).body).toMatchObject({ sub: "ada", permissions: ["read", "write"] });
    const other = (await send("/pair/sign-in", { json: { user: "ada" } })).body;
    const mixed = await send("/pair/refresh", { json: { token: other.token, refreshToken: second.refreshToken } });
    expect(mixed, "the value goes with its own token only").toMatchObject({ status: 401, body: { error: "unknown_refresh_value" } });
  });

  it("ends the whole session when a used refresh value comes back, and the winner's tokens with it", async () => {
    const { backend, send } = await start();
    const { body: first } = await send("/pair/sign-in", { json: { user: "ada" } });
    const { body: second } = await send("/pair/refresh", { json: first });
    expect(await send("/pair/refresh", { json: first })).toMatchObject({ status: 401, body: { error: "reuse" } });
    expect((await send("/pair/refresh", { json: second })).status).toBe(401);
    expect((await send("/pair/api/me", { bearer: second.token! })).status).toBe(401);
    expect(backend.stats).toMatchObject({ attempts: 3, refreshes: 1, reused: 1, revoked: 1 });
  });

  it("lets only one of two that come at once through", async () => {
    const { backend, send } = await start();
    const { body: first } = await send("/pair/sign-in", { json: { user: "ada" } });
    const answers = await Promise.all([send("/pair/refresh", { json: first }), send("/pair/refresh", { json: first })]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
    expect(backend.stats).toMatchObject({ reused: 1 });
  });

  it("two-jwt: each exchange extends the long token, which is no access token", async () => {
    const { send, pass } = await start();
    const { body: first } = await send("/two-jwt/sign-in", { json: { user: "ada" } });
    pass(3600);
    const { body: second } = await send("/two-jwt/refresh", { json: first });
    expect(decodeJwt(second.refresh!).exp! - decodeJwt(first.refresh!).exp!).toBe(3600);
    expect((await send("/two-jwt/api/me", { bearer: second.refresh! })).status).toBe(401);
    expect((await send("/two-jwt/api/me", { bearer: second.access! })).status).toBe(200);
    pass(7 * 86_400 + 1);
    expect(await send("/two-jwt/refresh", { json: second })).toMatchObject({ status: 401, body: { error: "refresh_value_expired" } });
  });

  it("cookie: rotates a cookie that no script reads, and wants the other one as a header too", async () => {
    const { backend, jar, send, cookies } = await start();
    expect(await send("/cookie/refresh"), "a visitor who never signed in").toMatchObject({ status: 401, body: { error: "no_cookie" } });
    const { body } = await send("/cookie/sign-in", { json: { user: "ada" } });
    expect(decodeJwt(body.accessToken!).exp! - decodeJwt(body.accessToken!).iat!).toBe(60);
    const before = await cookies("/cookie/refresh");
    expect(await send("/cookie/refresh"), "without the header").toMatchObject({ status: 403, body: { error: "csrf" } });
    const renewed = await send("/cookie/refresh", { headers: { "x-csrf-token": before.csrf! } });
    expect(Object.keys(renewed.body)).toEqual(["accessToken"]);
    const after = await cookies("/cookie/refresh");
    expect(after.refresh).not.toBe(before.refresh);
    expect((await jar.getCookies(`${backend.url}/cookie/`)).map(({ key, httpOnly, sameSite }) => [key, httpOnly, sameSite])).toEqual(
      expect.arrayContaining([
        ["refresh", true, "strict"],
        ["csrf", false, "strict"],
      ]),
    );
    await send("/cookie/sign-out");
    expect(await cookies("/cookie/refresh")).toEqual({});
  });

  it("cookie: signs in by a redirect, back to this site only", async () => {
    const { backend, cookies, jar } = await start();
    const visit = (back: string) =>
      fetch(`${backend.url}/cookie/sign-in?user=ada&return=${encodeURIComponent(back)}`, { redirect: "manual" });
    const response = await visit("/app?x=1");
    expect([response.status, response.headers.get("location")]).toEqual([303, "/app?x=1"]);
    for (const line of response.headers.getSetCookie()) await jar.setCookie(line, `${backend.url}/cookie/`);
    expect(Object.keys(await cookies("/cookie/"))).toEqual(["refresh", "csrf"]);
    for (const elsewhere of ["//evil.test", "/\\evil.test", "https://evil.test"]) {
      expect((await visit(elsewhere)).headers.get("location")).toBe("/");
    }
  });

  it("sliding: exchanges a token that is still valid, and renews it on any answer past half of its life", async () => {
    const { send, pass } = await start({ lifetimes: { accessTokenSeconds: 100 } });
    const { body } = await send("/sliding/sign-in", { json: { user: "ada" } });
    expect((await send("/sliding/api/me", { bearer: body.token! })).headers.get("x-renewed-token")).toBeNull();
    pass(60);
    const answer = await send("/sliding/api/me", { bearer: body.token! });
    expect(decodeJwt(answer.headers.get("x-renewed-token")!).exp).toBe(decodeJwt(body.token!).exp! + 60);
    expect(decodeJwt((await send("/sliding/refresh", { bearer: body.token! })).body.token!).exp).toBe(decodeJwt(body.token!).exp! + 60);
    pass(41);
    expect((await send("/sliding/refresh", { bearer: body.token! })).status).toBe(401);
  });

  it("softexp: tells a token that may be renewed from one that may not, in the body and in a header", async () => {
    const { backend, send, pass } = await start();
    const { body } = await send("/softexp/sign-in", { json: { user: "ada" } });
    const code = async () => {
      const { body: said, headers } = await send("/softexp/api/me", { bearer: body.token! });
      expect(headers.get("x-token-error") ?? undefined).toBe(said.code);
      return said.code;
    };
    expect(await code()).toBeUndefined();
    backend.expireAccessTokens();
    expect(await code()).toBe("EXPIRED_TOKEN");
    pass(300);
    expect(await code()).toBe("EXPIRED_TOKEN");
    expect((await send("/softexp/refresh", { bearer: body.token! })).status, "by itself").toBe(200);
    expect((await send("/softexp/refresh", { json: body })).status, "with its value").toBe(200);
    pass(1500);
    expect(await code()).toBe("INVALID_TOKEN");
    expect((await send("/softexp/refresh", { json: body })).status).toBe(401);
  });

  it("access-cookie: puts the access token into a cookie, and says how long it lives", async () => {
    const { send, cookies } = await start();
    const { body } = await send("/access-cookie/sign-in", { json: { user: "ada" } });
    expect(body).toEqual({ refreshToken: expect.any(String), expiresIn: 300 });
    expect((await send("/access-cookie/api/me")).body).toMatchObject({ sub: "ada" });
    const before = (await cookies("/access-cookie/")).access;
    await send("/access-cookie/refresh", { json: body });
    expect((await cookies("/access-cookie/")).access).not.toBe(before);
  });

  it.each(["pair", "softexp"])("%s: revoked, told to sign in again, or too old, it says so", async (way) => {
    const { backend, send, pass } = await start({ lifetimes: { sessionSeconds: 72 * 3600 } });
    const signIn = async (user: string) => (await send(`/${way}/sign-in`, { json: { user } })).body;
    const [ada, grace] = [await signIn("ada"), await signIn("grace")];
    expect(ada.session_expires_in).toBe(72 * 3600);
    expect(backend.revokeAll("ada")).toBe(1);
    expect(await send(`/${way}/refresh`, { json: ada })).toMatchObject({ status: 403, body: { error: "revoked" } });
    backend.requireReauth("grace");
    expect(await send(`/${way}/refresh`, { json: grace })).toMatchObject({ status: 401, body: { error: "reauth" } });
    const last = await signIn("grace");
    backend.lifetimes.accessTokenSeconds = 72 * 3600;
    const { body: renewed } = await send(`/${way}/refresh`, { json: last });
    pass(72 * 3600);
    expect((await send(`/${way}/refresh`, { json: renewed })).body).toEqual({ error: "session_too_old" });
  });

  it("keeps hashes of refresh values only, and sessions and keys across a restart", async () => {
    const file = join(tmpdir(), `tokentide-${randomUUID()}.db`);
    onTestFinished(async () => {
      for (const end of ["", "-wal", "-shm"]) await rm(file + end, { force: true });
    });
    const before = await start({ file });
    const { body } = await before.send("/pair/sign-in", { json: { user: "ada" } });
    await before.backend.close();
    const database = new Sqlite(file, { readonly: true });
    const stored = JSON.stringify(database.prepare("SELECT * FROM refresh_values").all());
    database.close();
    expect(stored.includes(body.refreshToken!)).toBe(false);
    const after = await start({ file });
    expect((await after.send("/pair/api/me", { bearer: body.token! })).status).toBe(200);
    expect((await after.send("/pair/refresh", { json: body })).status).toBe(200);
    expect((await after.send("/pair/refresh", { json: body })).body).toEqual({ error: "reuse" });
  });

  it("misbehaves as told, before or after it handled the request", async () => {
    const { backend, send } = await start();
    const { body } = await send("/pair/sign-in", { json: { user: "ada" } });
    const meet = (token: NonNullable<typeof backend.faults.token>) => send("/control/faults", { json: { token: { times: 1, ...token } } });
    await meet({ kind: "throttled", retryAfterSeconds: 7 });
    const throttled = await send("/pair/refresh", { json: body });
    expect([throttled.status, throttled.headers.get("retry-after")]).toEqual([429, "7"]);
    await meet({ kind: "lose-answer" });
    await expect(send("/pair/refresh", { json: body })).rejects.toThrow("fetch failed");
    expect(backend.stats).toMatchObject({ refreshes: 1 });
    expect((await send("/pair/refresh", { json: body })).body).toEqual({ error: "reuse" });
  });

  it("lets the pages of listed origins read it with cookies, and no others", async () => {
    const { backend } = await start({ allowedOrigins: ["http://app.test"], expiredStatus: 419 });
    const ask = (origin: string) => fetch(`${backend.url}/cookie/api/me`, { method: "OPTIONS", headers: { Origin: origin } });
    const [listed, other] = [await ask("http://app.test"), await ask("http://evil.test")];
    expect(listed.headers.get("access-control-allow-origin")).toBe("http://app.test");
    expect(listed.headers.get("access-control-allow-credentials")).toBe("true");
    expect(other.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("says that a token has expired in another way, where it is told to", async () => {
    const { send, pass } = await start({ expiredStatus: 403 });
    const { body } = await send("/pair/sign-in", { json: { user: "ada" } });
    pass(301);
    expect((await send("/pair/api/me", { bearer: body.token! })).status).toBe(403);
  });
});
