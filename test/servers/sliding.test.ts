import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { startBackend } from "../../servers/backend/index.js";
import { listen, serve } from "../../servers/http.js";
import { createSession, renewalHeader, type SessionOptions, sliding } from "../../src/index.js";
import { createDevice } from "./device.js";
import { openGate } from "./gate.js";

const HOUR = 3600_000;
const WEEK = 7 * 24 * HOUR;

/** The demo's own back end, whose sliding tokens live for a week, and a device that opens pages of it. */
async function setUp() {
  let now: () => number = Date.now;
  const server = await startBackend({ now: () => now() });
  const gate = await openGate(
    () => server.url,
    (path) => path === "/sliding/refresh",
  );
  const device = createDevice(gate.url);
  const { clock } = device;
  now = () => clock.worldNow();
  onTestFinished(async () => {
    await gate.close();
    await server.close();
  });
  return {
    gate,
    device,
    async signIn(): Promise<string> {
      const answer = await fetch(`${server.url}/sliding/sign-in`, { method: "POST", body: JSON.stringify({ user: "ada" }) });
      return ((await answer.json()) as { token: string }).token;
    },
    open({ every, ...options }: { every?: number } & Partial<Omit<SessionOptions, "refresh">> = {}) {
      const session = createSession({
        refresh: sliding({ url: `${gate.url}/sliding/refresh`, accessTokenField: "token", ...(every && { every }) }),
        environment: device.environment,
        ...options,
      });
      onTestFinished(async () => {
        session.dispose();
        await clock.advance(1000);
      });
      return session;
    },
  };
}

/** A page, signed in. */
async function start(options: Parameters<Awaited<ReturnType<typeof setUp>>["open"]>[0] & { clock?: number } = {}) {
  const { clock: ahead = 0, ...rest } = options;
  const stage = await setUp();
  const { clock } = stage.device;
  clock.jump(ahead);
  const session = stage.open(rest);
  await clock.until(session.signIn(await stage.signIn()));
  const call = async () => (await clock.until(session.fetch(`${stage.gate.url}/sliding/api/me`))).status;
  return { ...stage, clock, session, call };
}

describe("a sliding token on a server", () => {
  it("is exchanged every hour, or a little sooner, though it lives for a week", async () => {
    const { gate, clock, session, call } = await start({ every: HOUR });
    await clock.advance(12 * HOUR);
    expect(gate.attempts).toBeGreaterThanOrEqual(12);
    expect(gate.attempts).toBeLessThanOrEqual(15);
    expect([await call(), session.getSnapshot().degraded]).toEqual([200, false]);
  });

  it("R16 on a device whose clock is two weeks ahead, the token is not taken for dead at the sign-in", async () => {
    const { gate, clock, session, call } = await start({ clock: 2 * WEEK });
    await clock.advance(HOUR);
    expect([session.getSnapshot().status, await call(), gate.attempts]).toEqual(["signed-in", 200, 1]);
  });

  it("is renewed by the answer to any call past half of its life, without an exchange", async () => {
    // Due as late as can be, so that the header is first.
    const { gate, device, clock, session, call } = await start({ renewalHeader: renewalHeader("x-renewed-token"), lead: HOUR });
    const first = device.stored().accessToken;
    await clock.advance(WEEK * 0.4);
    expect([await call(), device.stored().accessToken === first]).toEqual([200, true]);
    await clock.advance(WEEK * 0.2);
    expect(await call()).toBe(200);
    await clock.advance(50);
    expect(device.stored().accessToken).not.toBe(first);
    expect(session.getSnapshot().expiresAt).toBeGreaterThan(clock.now() + WEEK - HOUR);
    expect([await call(), gate.attempts]).toEqual([200, 0]);
  });
});

describe("R32 a redirect, and a token in the header of where it leads", () => {
  /** An API that redirects, and another origin with the later token; `trusted` is whether the app allows that, too. */
  async function redirected(trusted: boolean) {
    const { device, signIn, open } = await setUp();
    const { clock } = device;
    const first = await signIn();
    // Later by a second than the first.
    await clock.advance(2000);
    const later = await signIn();
    const elsewhere = await listen({});
    const api = await listen({});
    const seen: (string | undefined)[] = [];
    serve(elsewhere.http, [
      (request: IncomingMessage, response: ServerResponse) => {
        seen.push(request.headers.authorization);
        response.writeHead(200, { "x-renewed-token": later, "access-control-allow-origin": "*" }).end();
        return true;
      },
    ]);
    serve(api.http, [
      (_: IncomingMessage, response: ServerResponse) => {
        const headers = { location: elsewhere.url, "access-control-allow-origin": "*", "x-renewed-token": "never read" };
        response.writeHead(307, headers).end();
        return true;
      },
    ]);
    onTestFinished(async () => {
      await Promise.all([api.close(), elsewhere.close()]);
    });
    const session = open({
      renewalHeader: renewalHeader("x-renewed-token"),
      allowedOrigins: [api.url, ...(trusted ? [elsewhere.url] : [])],
    });
    await clock.until(session.signIn(first));
    const answer = await clock.until(session.fetch(api.url));
    await clock.advance(50);
    expect([answer.status, answer.redirected, seen], "the bearer was lost on the way").toEqual([200, true, [undefined]]);
    const token = session.peekToken();
    return token === later ? "taken" : token === first ? "left" : "something else";
  }

  it("of an origin that is not allowed: left where it is", async () => {
    expect(await redirected(false)).toBe("left");
  });

  it("of one that is allowed: taken", async () => {
    expect(await redirected(true)).toBe("taken");
  });
});
