import { afterEach, describe, expect, it } from "vitest";
import { Clock } from "../../src/testing/clock.js";
import { hangs, html, lostAnswer, slow, stalledBody, throttled, unreachable } from "../../src/testing/faults.js";
import { API, TOKEN_ENDPOINT, TokenServer } from "../../src/testing/token-server.js";
import { overHttp } from "../support/msw.js";
import { expectNoSecret } from "../support/secrets.js";

const refresh = (server: TokenServer, token: string | undefined) =>
  server.handle(
    new Request(TOKEN_ENDPOINT, { method: "POST", body: new URLSearchParams({ grant_type: "refresh_token", refresh_token: token ?? "" }) }),
  );
const call = (server: TokenServer, token: string) =>
  server.handle(new Request(`${API}/me`, { headers: { authorization: `Bearer ${token}` } }));
const bodyOf = (reply: unknown) => JSON.parse((reply as { body: string }).body) as { access_token: string; refresh_token: string };

describe("the token server", () => {
  it("rotates, and revokes the session when a used token comes again", async () => {
    const server = new TokenServer({ clock: new Clock() });
    const first = server.signIn();
    const second = bodyOf(await refresh(server, first.refresh_token));
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(await call(server, second.access_token)).toMatchObject({ status: 200 });
    expect(await refresh(server, first.refresh_token)).toMatchObject({ status: 400 });
    expect(bodyOf(await refresh(server, second.refresh_token))).toMatchObject({ error: "invalid_grant" });
    expect(await call(server, second.access_token)).toMatchObject({ status: 401 });
    expect(server.stats).toMatchObject({ attempts: 3, refreshes: 1, rejected: 2, reused: 1, apiOk: 1, apiUnauthorized: 1 });
  });

  it("gives an answer again within its grace period, and not after it", async () => {
    const clock = new Clock();
    const server = new TokenServer({ clock, grace: 10_000 });
    const first = server.signIn();
    await refresh(server, first.refresh_token);
    await clock.advance(5_000);
    expect(await refresh(server, first.refresh_token)).toMatchObject({ status: 200 });
    await clock.advance(6_000);
    expect(await refresh(server, first.refresh_token)).toMatchObject({ status: 400 });
  });

  it("lets access tokens expire by its own clock", async () => {
    const clock = new Clock();
    const server = new TokenServer({ clock, accessSeconds: 60 });
    const { access_token } = server.signIn();
    clock.jump(-86_400_000);
    await clock.advance(59_000);
    expect(await call(server, access_token)).toMatchObject({ status: 200 });
    await clock.advance(1_000);
    expect(await call(server, access_token)).toMatchObject({ status: 401 });
  });

  it("does what its faults say, once each", async () => {
    const clock = new Clock();
    const server = new TokenServer({ clock });
    const { refresh_token } = server.signIn();
    server.faults.push(throttled(30), unreachable, hangs, html(403), slow(1_000), lostAnswer);
    expect(await refresh(server, refresh_token)).toMatchObject({ status: 429, headers: { "retry-after": "30" } });
    expect(await refresh(server, refresh_token)).toBe("lost");
    expect(await refresh(server, refresh_token)).toBe("silence");
    expect(await refresh(server, refresh_token)).toMatchObject({ status: 403 });
    expect(server.stats.refreshes).toBe(0);
    const second = bodyOf(await clock.until(refresh(server, refresh_token)));
    expect(clock.monotonic()).toBe(1_000);
    expect(await refresh(server, second.refresh_token)).toBe("lost");
    expect(server.stats).toMatchObject({ refreshes: 2, maximumInFlight: 1 });
  });

  it("counts how many refreshes were under way together", async () => {
    const clock = new Clock();
    const server = new TokenServer({ clock });
    server.latency = { before: () => 100, after: () => 0 };
    const tokens = [server.signIn(), server.signIn("grace")];
    await clock.until(Promise.all(tokens.map((token) => refresh(server, token.refresh_token))));
    expect(server.stats).toMatchObject({ refreshes: 2, maximumInFlight: 2, inFlight: 0 });
  });
});

describe("the token server over msw", () => {
  const clock = new Clock(10);
  const server = new TokenServer({ clock });
  const http = overHttp(server.handle);
  afterEach(() => http.close());

  it("answers Node's own fetch, on virtual time", async () => {
    http.listen({ onUnhandledRequest: "error" });
    const { refresh_token = "" } = server.signIn();
    const body = new URLSearchParams({ grant_type: "refresh_token", refresh_token });
    server.faults.push(slow(5_000), unreachable, hangs, stalledBody);
    const answer = await clock.until(fetch(TOKEN_ENDPOINT, { method: "POST", body }));
    const second = (await answer.json()) as { refresh_token: string };
    expect([answer.status, clock.monotonic()]).toEqual([200, 5_000]);
    await expect(clock.until(fetch(TOKEN_ENDPOINT, { method: "POST", body }))).rejects.toThrow(TypeError);
    const controller = new AbortController();
    const hanging = fetch(TOKEN_ENDPOINT, { method: "POST", body, signal: controller.signal });
    await expect(clock.until(hanging, 1_000)).rejects.toThrow("not settled");
    controller.abort(new Error("enough"));
    await expect(hanging).rejects.toThrow("enough");
    body.set("refresh_token", second.refresh_token);
    const stalled = await clock.until(fetch(TOKEN_ENDPOINT, { method: "POST", body }));
    await expect(clock.until(stalled.text(), 1_000)).rejects.toThrow("not settled");
  });
});

describe("the search for leaked tokens", () => {
  it("finds one in whatever a value lets out, and by its signature alone", () => {
    const server = new TokenServer({ clock: new Clock() });
    const { access_token: token } = server.signIn();
    const hidden = Object.defineProperty({}, "token", { value: token, enumerable: false });
    const leaks = [
      `it was ${token}`,
      new Error("no", { cause: new Error(token) }),
      hidden,
      [{ deep: new Map([["a", [token]]]) }],
      token.split(".")[2],
      { [Symbol("token")]: token },
      { [token]: true },
      new (class {
        #token = token;
        get shown() {
          return this.#token;
        }
      })(),
      new Headers({ authorization: `Bearer ${token}` }),
      new Request("https://api.example.test", { headers: { authorization: `Bearer ${token}` } }),
      Object.assign(new Error("no"), { request: new Request(`https://api.example.test/?token=${token}`) }),
      new Response("", { headers: { "x-token": token } }),
      new Set([new URLSearchParams({ token })]),
      new Map([[{ token }, 1]]),
      Buffer.from(`authorization: ${token}`),
      new TextEncoder().encode(token).buffer,
      circular({ token }),
      AbortSignal.abort(new Error(token)),
    ];
    for (const leak of leaks) expect(() => expectNoSecret(server.grants.secrets, leak, "a test")).toThrow("a token shows up in a test");
    const clean = [new Error("clean"), circular({ status: 400 }), new Request("https://api.example.test"), Response.json({})];
    expectNoSecret(server.grants.secrets, clean, "a test");
  });
});

function circular<T extends object>(value: T): T {
  return Object.assign(value, { self: value });
}
