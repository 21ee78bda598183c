import { expect, it, onTestFinished } from "vitest";
import { createSession, oauth2 } from "../../../src/index.js";
import { createDevice } from "../device.js";
import { openGate } from "../gate.js";
import { djangoMissing, startDjango } from "./django.js";

async function start(grace: number) {
  const missing = djangoMissing();
  if (missing) throw new Error(missing);
  const server = await startDjango({ lifetime: 60, grace });
  const gate = await openGate(
    () => server.url,
    (path) => path === server.tokenPath,
  );
  onTestFinished(async () => {
    await gate.close();
    await server.close();
  });
  return { server, gate, device: createDevice(gate.url, Date.now()) };
}

it("kills the old access token at a refresh: a request in flight is sent again with the new one, without another refresh", {
  timeout: 60_000,
}, async () => {
  const { server, gate, device } = await start(0);
  const { clock, environment } = device;
  const session = createSession({
    refresh: oauth2({ tokenEndpoint: gate.url + server.tokenPath, clientId: "spa" }),
    classify: ({ response }) => (response?.status === 403 ? "refresh" : "ok"),
    environment,
  });
  onTestFinished(session.dispose);
  const tokens = await server.signIn();
  await clock.until(session.signIn(tokens));
  clock.impatient = true;
  const inFlight = session.fetch(`${gate.url}/api/slow`);
  const refreshed = session.refresh();
  await clock.advance(100);
  clock.impatient = false;
  expect(await clock.until(refreshed)).toBe("refreshed");
  const old = await fetch(`${server.url}/api/me`, { headers: { authorization: `Bearer ${tokens.access_token}` } });
  expect([old.status, old.headers.get("www-authenticate")], "the old one is dead, though not expired").toEqual([403, null]);
  expect((await clock.until(inFlight)).status).toBe(200);
  expect(gate.attempts).toBe(1);
});

it("gives a used refresh token the same pair again within its grace period, and refuses it without one", { timeout: 60_000 }, async () => {
  for (const grace of [120, 0]) {
    const { server } = await start(grace);
    const { refresh_token: token } = await server.signIn();
    const first = (await (await server.refresh(token)).json()) as { refresh_token: string };
    const again = await server.refresh(token);
    expect(again.status).toBe(grace > 0 ? 200 : 400);
    if (grace > 0) expect(await again.json()).toMatchObject({ refresh_token: first.refresh_token });
    else expect(await again.json()).toEqual({ error: "invalid_grant" });
  }
});
