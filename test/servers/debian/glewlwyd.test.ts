import { expect, it, onTestFinished } from "vitest";
import { createSession, oauth2 } from "../../../src/index.js";
import { createDevice } from "../device.js";
import { type GlewlwydPlugin, glewlwydMissing, startGlewlwyd } from "./glewlwyd.js";

async function start(plugin: GlewlwydPlugin) {
  const missing = glewlwydMissing();
  if (missing) throw new Error(missing);
  const server = await startGlewlwyd({ lifetime: 60, plugin });
  onTestFinished(server.close);
  // A page of another origin, which notes whether it sent credentials.
  const device = createDevice("http://app.test", Date.now());
  const modes: RequestCredentials[] = [];
  const environment = {
    ...device.environment,
    fetch: (input: RequestInfo | URL, init?: RequestInit) => {
      modes.push(new Request(input instanceof Request ? input.clone() : input, init).credentials);
      return device.environment.fetch(input, init);
    },
  };
  return { server, device, modes, environment };
}

it.each(["oauth", "oidc"] as const)(
  "its plugin %s refuses with an empty 400, and allows every origin, so that the token call must not send credentials",
  { timeout: 60_000 },
  async (plugin) => {
    const { server, device, modes, environment } = await start(plugin);
    const refused = await server.refresh("unknown");
    expect([refused.status, await refused.text()]).toEqual([400, ""]);
    expect(refused.headers.get("access-control-allow-origin")).toBe("*");

    const session = createSession({ refresh: oauth2({ tokenEndpoint: server.url + server.tokenPath, clientId: "spa" }), environment });
    onTestFinished(session.dispose);
    await device.clock.until(session.signIn(await server.signIn()));
    server.revoke();
    await expect(device.clock.until(session.refresh())).rejects.toMatchObject({ code: "rejected", status: 400 });
    expect(session.getSnapshot()).toMatchObject({ status: "signed-out", reason: "rejected" });
    expect(modes).toEqual(["omit"]);
  },
);

it("its plugin for OpenID Connect is found by its issuer, and gives a new refresh token each time", { timeout: 60_000 }, async () => {
  const { server, device, environment } = await start("oidc");
  const session = createSession({ refresh: oauth2({ issuer: server.issuer, clientId: server.clientId }), environment });
  onTestFinished(session.dispose);
  await device.clock.until(session.signIn(await server.signIn()));
  const stored = [device.stored().refreshToken];
  for (let time = 0; time < 2; time += 1) {
    expect(await device.clock.until(session.refresh())).toBe("refreshed");
    stored.push(device.stored().refreshToken);
    await device.clock.advance(1500);
  }
  expect(new Set(stored).size).toBe(3);
});
