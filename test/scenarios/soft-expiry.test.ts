import { describe, expect, it } from "vitest";
import { byCode } from "../../src/index.js";
import { makeJwt } from "../../src/testing/jwt.js";
import { json } from "../../src/testing/reply.js";
import { MINUTE, scene, strategy } from "../support/scene.js";

const classify = byCode({ refresh: ["EXPIRED_TOKEN"], signOut: ["INVALID_TOKEN"] });

describe("a soft expiry", () => {
  it("is when the token is renewed, though it would live on; and what changes in it is no change of the user", async () => {
    const stage = scene();
    const soft = (subject: string) => {
      const iat = Math.floor(stage.clock.worldNow() / 1000);
      return { accessToken: makeJwt({ sub: subject, iat, softexp: iat + 300, exp: iat + 1800 }), refreshToken: "r" };
    };
    let renewals = 0;
    const own = () => {
      renewals += 1;
      return soft("ada");
    };
    const app = await stage.open({ expiryClaim: "softexp", name: "app", refresh: own, classify });
    await stage.clock.until(app.session.signIn(soft("ada")));
    const { expiresAt } = app.bare.getSnapshot();
    expect(Math.abs((expiresAt ?? 0) - (app.tab.environment.now() + 5 * MINUTE))).toBeLessThan(2_000);
    await stage.clock.advance(5 * MINUTE);
    expect([renewals > 0, app.count("claims-changed")]).toEqual([true, 0]);
    // It would be valid for 25 minutes yet.
    const before = renewals;
    await stage.clock.sleep(6 * MINUTE);
    await stage.clock.until(app.session.getToken());
    expect(renewals).toBe(before + 1);
  });

  it("EXPIRED_TOKEN renews and sends again, INVALID_TOKEN signs out", async () => {
    const stage = scene({ http: true });
    const app = await stage.signedIn({ refresh: strategy(), classify });
    stage.server.apiAnswer = ({ bearer }) => (bearer === 1 ? json(403, { code: "EXPIRED_TOKEN" }) : undefined);
    expect(await stage.call(app)).toBe(200);
    stage.server.apiAnswer = () => json(403, { code: "INVALID_TOKEN" });
    expect(await stage.call(app)).toBe(403);
    await stage.clock.advance(50);
    expect([app.status(), stage.server.stats.refreshes]).toEqual(["signed-out: rejected", 1]);
  });
});
