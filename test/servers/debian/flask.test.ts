import { expect, it, onTestFinished } from "vitest";
import { createSession, type TokenPairOptions, tokenPair } from "../../../src/index.js";
import { createDevice } from "../device.js";
import { flaskMissing, startFlask } from "./flask.js";

it("answers 422 to a token that another key signed, which ends the session only where `answer` says so", async () => {
  const missing = flaskMissing();
  if (missing) throw new Error(missing);
  const server = await startFlask({ lifetime: 60 });
  onTestFinished(server.close);
  const { clock, environment } = createDevice(server.url, Date.now());
  const { access_token: accessToken, refresh_token: refreshToken } = await server.signIn();

  async function signIn(name: string, options: Partial<TokenPairOptions> = {}) {
    const session = createSession({
      name,
      refresh: tokenPair({
        url: `${server.url}/refresh`,
        headers: (tokens) => ({ authorization: `Bearer ${tokens.refreshToken}` }),
        ...options,
      }),
      classify: ({ response }) => ([401, 422].includes(response?.status ?? 0) ? "refresh" : "ok"),
      environment,
    });
    onTestFinished(session.dispose);
    await clock.until(session.signIn({ accessToken, refreshToken }));
    return session;
  }

  const plain = await signIn("plain");
  const told = await signIn("told", { answer: ({ status }) => (status === 422 ? "rejected" : undefined) });
  await clock.advance(1100);
  await server.changeKey();
  await clock.advance(1100);
  for (const session of [plain, told]) expect((await clock.until(session.fetch(server.url + server.apiPath))).status).toBe(422);
  expect(plain.getSnapshot()).toMatchObject({ status: "signed-in", degraded: true });
  expect(told.getSnapshot()).toMatchObject({ status: "signed-out", reason: "rejected" });
});
