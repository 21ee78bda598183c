import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { byCode, createSession, tokenPair } from "../../../src/index.js";
import type { SessionOptions } from "../../../src/types/index.js";
import { createDevice } from "../device.js";
import { simplejwtMissing, startSimplejwt } from "./simplejwt.js";

let server: Awaited<ReturnType<typeof startSimplejwt>>;

beforeAll(async () => {
  const missing = simplejwtMissing();
  if (missing) throw new Error(missing);
  server = await startSimplejwt({ lifetime: 60 });
}, 60_000);
afterAll(() => server?.close());

async function start(path: string, options: Partial<Omit<SessionOptions, "refresh">> = {}) {
  const { clock, environment } = createDevice(server.url, Date.now());
  const session = createSession({
    refresh: tokenPair({
      url: server.url + path,
      accessTokenField: "access",
      refreshTokenField: "refresh",
      body: ({ refreshToken }) => ({ refresh: refreshToken }),
    }),
    environment,
    ...options,
  });
  onTestFinished(session.dispose);
  const { access, refresh } = await server.signIn();
  await clock.until(session.signIn({ accessToken: access, refreshToken: refresh }));
  const renew = async () => {
    await clock.advance(1100);
    return clock.until(session.refresh().catch(({ code }) => code));
  };
  return { session, clock, renew };
}

it("5.2 lists the refresh tokens of sign-ins alone, so that an administrator cannot blacklist a rotated one", async () => {
  for (const [path, outcome] of [
    [server.refreshPath, "refreshed"],
    [server.listingPath, "rejected"],
  ] as const) {
    const { renew } = await start(path);
    expect(await renew()).toBe("refreshed");
    await server.revoke();
    expect(await renew()).toBe(outcome);
  }
});

it("5.2 renews for a user who was made inactive, and the API alone refuses: `classify` ends the session by its code", async () => {
  const classify = byCode({ refresh: ["token_not_valid"], signOut: ["user_inactive", "user_not_found"] });
  const { session, clock, renew } = await start(server.refreshPath, { classify });
  await server.setActive(false);
  onTestFinished(async () => void (await server.setActive(true)));
  expect(await renew()).toBe("refreshed");
  const answer = await clock.until(session.fetch(server.url + server.apiPath));
  expect([answer.status, await answer.json()]).toEqual([401, { detail: "User is inactive", code: "user_inactive" }]);
  await clock.advance(100);
  expect(session.getSnapshot()).toMatchObject({ status: "signed-out", reason: "rejected" });
});
