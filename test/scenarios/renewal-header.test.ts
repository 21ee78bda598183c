import { describe, expect, it } from "vitest";
import { renewalHeader } from "../../src/index.js";
import { memory } from "../../src/session/memory.js";
import { makeJwt } from "../../src/testing/jwt.js";
import { json } from "../../src/testing/reply.js";
import { HOUR, MINUTE, type Scene, scene } from "../support/scene.js";

const session = { renewalHeader: renewalHeader("x-renewed-token") };

/** The API puts this on its next answers. */
function renewing(stage: Scene, token: string, status = 200) {
  stage.server.apiAnswer = () => json(status, {}, { "x-renewed-token": token });
}
const later = (stage: Scene, claims: Record<string, unknown> = {}) => {
  const now = Math.floor(stage.clock.worldNow() / 1000);
  return makeJwt({ sub: "ada", client_id: "spa", iat: now, exp: now + 7200, ...claims });
};

describe("a token in a response header", () => {
  it("is in force in all tabs, and the refresh token is kept", async () => {
    const stage = scene({ session });
    const app = await stage.signedIn();
    const other = await stage.open();
    const token = later(stage);
    renewing(stage, `Bearer ${token}`);
    await stage.call(app);
    await stage.clock.advance(50);
    expect([app.bare.peekToken() === token, other.bare.peekToken() === token]).toEqual([true, true]);
    expect([app.payloads("refreshed")[0]?.adopted, other.payloads("refreshed")[0]?.adopted]).toEqual([false, true]);
    stage.server.apiAnswer = () => undefined;
    expect(await stage.clock.until(app.session.refresh())).toBe("refreshed");
  });

  it.each([
    ["that ends earlier", (stage: Scene) => later(stage, { exp: Math.floor(stage.clock.worldNow() / 1000) + 60 })],
    ["of somebody else", (stage: Scene) => later(stage, { sub: "bob" })],
    ["that is none", () => "two words"],
  ])("%s is left where it is", async (_, token) => {
    const stage = scene({ session });
    const app = await stage.signedIn();
    renewing(stage, token(stage));
    await stage.call(app);
    await stage.clock.advance(50);
    expect([stage.serial(app), app.count("refreshed"), app.status()]).toEqual([1, 0, "signed-in"]);
  });

  it("R32 of another origin is left where it is", async () => {
    const stage = scene({ session });
    const app = await stage.signedIn();
    renewing(stage, later(stage));
    await stage.clock.until(app.session.fetch("https://elsewhere.test/"));
    await stage.clock.advance(50);
    expect(stage.serial(app)).toBe(1);
  });

  it("R25 that comes after the sign-out begins nothing", async () => {
    const stage = scene({ session });
    const app = await stage.signedIn();
    renewing(stage, later(stage));
    stage.server.apiLatency = () => MINUTE;
    const call = app.session.fetch("https://api.example.test/me");
    await stage.clock.until(app.session.signOut());
    await stage.clock.until(call, 2 * MINUTE);
    await stage.clock.advance(50);
    expect([app.status(), app.bare.peekToken()]).toEqual(["signed-out: user", null]);
  });

  it("does not throw away what a refresh that is under way brings", async () => {
    const stage = scene({ session });
    const app = await stage.signedIn();
    renewing(stage, later(stage));
    stage.server.latency = { before: () => 500, after: () => 500 };
    const refreshed = app.session.refresh();
    await stage.clock.advance(300);
    await stage.call(app);
    expect([await stage.clock.until(refreshed), stage.serial(app)]).toEqual(["refreshed", 2]);
    stage.server.latency = { before: () => 0, after: () => 0 };
    stage.server.apiAnswer = () => undefined;
    await stage.clock.advance(HOUR);
    expect([app.status(), stage.server.stats.reused]).toEqual(["signed-in", 0]);
  });

  it("in memory mode is left to the tab that can renew", async () => {
    const stage = scene({ session: { ...session, persist: memory() }, shares: true });
    const app = await stage.signedIn();
    const other = await stage.open();
    renewing(stage, later(stage));
    await stage.call(other);
    await stage.clock.advance(50);
    expect([stage.serial(app), stage.serial(other)]).toEqual([1, 1]);
    await stage.call(app);
    await stage.clock.advance(50);
    expect([app.count("refreshed"), other.count("refreshed")]).toEqual([1, 1]);
  });
});
