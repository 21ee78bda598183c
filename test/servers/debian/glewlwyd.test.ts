import { expect, it, onTestFinished } from "vitest";
import { createSession, oauth2 } from "../../../src/index.js";
import { createDevice } from "../matrix/device.js";
import { glewlwydMissing, startGlewlwyd } from "./glewlwyd.js";

it("refuses with an empty 400, and allows every origin, so that the token call must not send credentials", {
  timeout: 60_000,
}, async () => {
  const missing = glewlwydMissing();
  if (missing) throw new Error(missing);
  const server = await startGlewlwyd({ lifetime: 60 });
  onTestFinished(server.close);
  const refused = await server.refresh("unknown");
  expect([refused.status, await refused.text()]).toEqual([400, ""]);
  expect(refused.headers.get("access-control-allow-origin")).toBe("*");

  const device = createDevice("http://app.test", Date.now());
  const modes: (RequestCredentials | undefined)[] = [];
  const environment = {
    ...device.environment,
    fetch: (input: RequestInfo | URL, init?: RequestInit) => {
      modes.push(new Request(input instanceof Request ? input.clone() : input, init).credentials);
      return device.environment.fetch(input, init);
    },
  };
  const session = createSession({ refresh: oauth2({ tokenEndpoint: server.url + server.tokenPath, clientId: "spa" }), environment });
  onTestFinished(session.dispose);
  await device.clock.until(session.signIn(await server.signIn()));
  server.revoke();
  await expect(device.clock.until(session.refresh())).rejects.toMatchObject({ code: "rejected", status: 400 });
  expect(session.getSnapshot()).toMatchObject({ status: "signed-out", reason: "rejected" });
  expect(modes).toEqual(["omit"]);
});
