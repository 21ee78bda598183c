import { expect, it, onTestFinished } from "vitest";
import { createSession, oauth2 } from "../../src/index.js";
import { createDevice } from "./device.js";
import { type NodeOauthOptions, startNodeOauth } from "./node-oauth.js";

async function start(options: Partial<NodeOauthOptions> = {}) {
  const server = await startNodeOauth({ lifetime: 60, ...options });
  onTestFinished(server.close);
  return server;
}

it("asks a public client for a secret at a refresh, unless it is told not to: no session ends by that", async () => {
  const server = await start({ wantsSecret: true });
  const { clock, environment } = createDevice(server.url, Date.now());
  const session = createSession({ refresh: oauth2({ tokenEndpoint: server.url + server.tokenPath, clientId: "spa" }), environment });
  onTestFinished(session.dispose);
  const tokens = await server.signIn();
  await clock.until(session.signIn(tokens));
  await clock.advance(1100);
  await expect(clock.until(session.refresh())).rejects.toMatchObject({ code: "configuration", status: 400 });
  expect(session.getSnapshot().status).toBe("signed-in");
  expect(await (await server.refresh(tokens.refresh_token)).json()).toMatchObject({ error: "invalid_client" });
});

it("refuses one of two refreshes at once, given a model that deletes what it revokes", async () => {
  const server = await start();
  const { refresh_token: token } = await server.signIn();
  const answers = await Promise.all([server.refresh(token), server.refresh(token)]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
});
