import { expect, it } from "vitest";
import { cookie } from "../../src/index.js";
import { hangs } from "../../src/testing/faults.js";
import { json } from "../../src/testing/reply.js";
import { HOUR, SECOND, scene } from "../support/scene.js";

const APP = "https://app.example.test";

it.each(["silence", "lost"] as const)(
  "R54 the access token is in a cookie: a call of ada that waits for a renewal (%s) is not sent as bob",
  async (fault) => {
    const stage = scene();
    let renewals = 0;
    stage.server.apiAnswer = ({ url }) => {
      if (!url.endsWith("/renew")) return json(200, { ok: true });
      renewals++;
      return renewals === 2 ? fault : json(200, { expiresIn: 3600, idToken: stage.server.signIn("ada").access_token });
    };
    stage.server.apiLatency = ({ url }) => (url.endsWith("/renew") && renewals === 2 ? 5 * SECOND : 0);
    const app = await stage.open({ refresh: cookie({ url: `${APP}/renew`, accessTokenField: null }), allowedOrigins: [APP] });
    await stage.clock.until(app.session.signIn());
    expect(app.bare.getSnapshot().claims?.sub).toBe("ada");
    await stage.clock.sleep(2 * HOUR);
    // The default of `credentials` is "same-origin": whatever goes to this origin has the cookie of the moment.
    const call = app.session.fetch(`${APP}/transfer`, { method: "POST", body: "ada's money" });
    const outcome = call.then(
      ({ status }) => status,
      ({ code }: { code: string }) => code,
    );
    await stage.clock.advance(2 * SECOND);
    await stage.clock.until(app.session.signIn({ expiresIn: 3600, idToken: stage.server.signIn("bob").access_token } as never));
    await stage.clock.advance(40 * SECOND);
    const sent = stage.server.apiCalls.filter(({ url }) => url.endsWith("/transfer")).length;
    expect([app.count("user-changed"), sent, await stage.clock.until(outcome)]).toEqual([1, 0, "user-changed"]);
  },
);

it("R54 bearer, and an API on the page's own origin that knows its cookies, too", async () => {
  const stage = scene();
  const app = await stage.signedIn({ allowedOrigins: [APP] });
  await stage.clock.sleep(2 * HOUR);
  stage.server.faults.push(hangs);
  const call = app.session.fetch(`${APP}/transfer`, { method: "POST", body: "ada's money" });
  const outcome = call.then(
    ({ status }) => status,
    ({ code }: { code: string }) => code,
  );
  await stage.clock.advance(2 * SECOND);
  await stage.clock.until(app.session.signIn(stage.server.signIn("bob")));
  await stage.clock.advance(40 * SECOND);
  expect([stage.server.apiCalls.length, await stage.clock.until(outcome)]).toEqual([0, "user-changed"]);
});
