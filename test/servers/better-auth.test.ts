import { expect, it, onTestFinished } from "vitest";
import { cookie, createSession } from "../../src/index.js";
import { startBetterAuth } from "./better-auth.js";
import { createDevice } from "./device.js";
import { openGate } from "./gate.js";

const DAY = 86_400;
/** better-auth's own defaults. */
const LIMITS = { expiresIn: 7 * DAY, updateAge: DAY };

/** A page that renews at `path`, after a login that left a cookie. */
async function start(path: string, accessTokenField: string) {
  let target = "";
  const gate = await openGate(
    () => target,
    (asked) => asked === path,
  );
  const server = await startBetterAuth({ origin: gate.url, lifetime: 60, session: LIMITS });
  target = server.url;
  const device = createDevice(gate.url, Date.now());
  const { clock } = device;
  const session = createSession({
    refresh: cookie({ url: gate.url + path, method: "GET", accessTokenField }),
    environment: device.environment,
  });
  onTestFinished(async () => {
    session.dispose();
    await clock.advance(1000);
    await gate.close();
    await server.close();
  });
  await server.signIn(device.jar);
  await clock.until(session.signIn());
  return {
    server,
    gate,
    clock,
    session,
    call: async () => (await clock.until(session.fetch(`${gate.url}/me`))).status,
    /** As if so many seconds had gone by since the last extension: the server has no clock that could be moved. */
    age: (seconds: number) => {
      const expiresAt = new Date(Date.now() + (LIMITS.expiresIn - seconds) * 1000).toISOString();
      server.database.prepare("UPDATE session SET expiresAt = ?").run(expiresAt);
    },
    endsIn: () => {
      const end = server.database.prepare("SELECT expiresAt FROM session").pluck().get() as string;
      return Math.round((new Date(end).getTime() - Date.now()) / 1000);
    },
  };
}

const SESSION = ["/api/auth/get-session", "session.token"] as const;
const JWT = ["/api/auth/token", "token"] as const;

it("answers `200 null` to a session that has ended, and that is the end here as well", async () => {
  const { server, clock, session, call, gate } = await start(...SESSION);
  expect([session.getSnapshot().status, await call()]).toEqual(["signed-in", 200]);
  server.revoke();
  const answer = await fetch(`${server.url}/api/auth/get-session`);
  expect([answer.status, await answer.text()], "what it says to a stranger").toEqual([200, "null"]);
  await clock.advance(2000);
  expect(await call(), "the API's own answer").toBe(401);
  expect(session.getSnapshot()).toMatchObject({ status: "signed-out", reason: "rejected" });
  const before = gate.attempts;
  await clock.advance(3_600_000);
  expect(gate.attempts, "nobody asks any more").toBe(before);
});

it.each([SESSION, JWT])("%s slides: a renewal a day after the last extension gives the session its whole time again", async (...way) => {
  const { clock, session, age, endsIn, call } = await start(...way);
  age(DAY - 60);
  expect(await clock.until(session.refresh())).toBe("refreshed");
  expect(endsIn(), "not before").toBeLessThan(LIMITS.expiresIn - DAY + 65);
  age(DAY + 60);
  await clock.advance(2000);
  expect(await clock.until(session.refresh())).toBe("refreshed");
  expect(endsIn()).toBeGreaterThan(LIMITS.expiresIn - 10);
  expect(await call()).toBe(200);
});

it.each([SESSION, JWT])("%s ends with the session at the server, when nobody came in time", async (...way) => {
  const { clock, session, age } = await start(...way);
  age(LIMITS.expiresIn + 1);
  await clock.advance(2000);
  await expect(clock.until(session.refresh())).rejects.toMatchObject({ code: "rejected" });
  expect(session.getSnapshot()).toMatchObject({ status: "signed-out", reason: "rejected" });
});
