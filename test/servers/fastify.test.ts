import { expect, it, onTestFinished } from "vitest";
import { cookie, createSession } from "../../src/index.js";
import { createDevice } from "./device.js";
import { startFastify } from "./fastify.js";

async function start() {
  const server = await startFastify({ lifetime: 60 });
  onTestFinished(server.close);
  const device = createDevice(server.url, Date.now());
  const login = `${server.url}/auth/login`;
  const answer = await fetch(login, { method: "POST" });
  for (const line of answer.headers.getSetCookie()) await device.jar.setCookie(line, login);
  return { server, device, tokens: (await answer.json()) as { accessToken: string } };
}

it("signs both kinds of tokens by one key: only what the API asks besides tells the refresh cookie from an access token", async () => {
  const { server, device } = await start();
  const [refresh] = await device.jar.getCookies(`${server.url}/auth/refresh`);
  const answer = await fetch(`${server.url}/api/me`, { headers: { authorization: `Bearer ${refresh?.value}` } });
  expect([answer.status, await answer.json()]).toEqual([401, { code: "wrong_token" }]);
});

it("answers 400 to a POST that says JSON and has none, which ends the session: a renewal by cookie says nothing of the kind", async () => {
  const { server, device, tokens } = await start();
  const { clock, environment } = device;
  const url = `${server.url}/auth/refresh`;
  for (const [headers, outcome] of [
    [{}, "refreshed"],
    [{ "content-type": "application/json" }, "rejected"],
  ] as const) {
    const session = createSession({ name: outcome, refresh: cookie({ url, headers }), environment });
    onTestFinished(session.dispose);
    await clock.until(session.signIn(tokens));
    await clock.advance(1100);
    expect(await clock.until(session.refresh().catch(({ code }) => code))).toBe(outcome);
  }
});
