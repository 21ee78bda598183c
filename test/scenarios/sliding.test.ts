import { describe, expect, it } from "vitest";
import { sliding } from "../../src/index.js";
import { memory } from "../../src/session/memory.js";
import { json } from "../../src/testing/reply.js";
import { API } from "../../src/testing/token-server.js";
import type { SessionOptions } from "../../src/types/index.js";
import { DAY, HOUR, MINUTE, type Scene, scene } from "../support/scene.js";

const WEEK = 7 * DAY;

/** Exchanges any token it is shown, and notes when, and whether that had expired. */
function backEnd(stage: Scene) {
  const seen = { exchanges: 0, bearers: [] as unknown[] };
  stage.server.apiAnswer = ({ url, bearer }, request) => {
    if (!url.endsWith("/exchange")) return undefined;
    seen.bearers.push(bearer);
    seen.exchanges += 1;
    const token = request.headers.get("authorization")?.slice("Bearer ".length) ?? "";
    if (typeof stage.server.grants.check(token) !== "object") return json(401, {});
    return json(200, { token: stage.server.signIn().access_token });
  };
  return seen;
}

const options = (every?: number): Partial<SessionOptions> => ({
  refresh: sliding({ url: `${API}/exchange`, accessTokenField: "token", ...(every && { every }) }),
});
const week = { accessSeconds: WEEK / 1000, tellsLifetime: false };

/** The login of such a server gives one token. */
async function signedIn(stage: Scene, session = options()) {
  const { access_token } = stage.server.signIn();
  return stage.signedIn(session, { access_token });
}

describe("a sliding token", () => {
  it("is exchanged ahead of expiry, by one tab, with the token there is", async () => {
    const stage = scene({ server: week });
    const seen = backEnd(stage);
    const app = await signedIn(stage);
    const other = await stage.open(options());
    await stage.clock.advance(WEEK);
    expect(seen.bearers).toEqual(seen.bearers.map((_, n) => n + 1));
    expect([seen.exchanges > 0, seen.exchanges < 3, stage.serial(app) === stage.serial(other)]).toEqual([true, true, true]);
    expect(app.status()).toBe("signed-in");
  });

  it("is exchanged every hour, or a little sooner, however long it lives", async () => {
    const stage = scene({ server: week });
    const seen = backEnd(stage);
    await signedIn(stage, options(HOUR));
    await stage.clock.advance(12 * HOUR);
    expect(seen.exchanges).toBeGreaterThanOrEqual(12);
    expect(seen.exchanges).toBeLessThanOrEqual(15);
  });

  it("is exchanged when the app opens, unless renewOnOpen is false", async () => {
    const stage = scene({ server: week });
    const seen = backEnd(stage);
    (await signedIn(stage)).tab.close();
    await stage.clock.advance(HOUR);
    (await stage.open({ ...options(), renewOnOpen: false })).tab.close();
    await stage.clock.advance(HOUR);
    expect(seen.exchanges).toBe(0);
    const app = await stage.open(options());
    await stage.clock.advance(1_000);
    expect([seen.exchanges, stage.serial(app)]).toEqual([1, 2]);
  });

  it("R42 opening the app asks nothing of a visitor, nor after the token's death", async () => {
    const stage = scene({ server: week });
    const seen = backEnd(stage);
    (await stage.open(options())).tab.close();
    (await signedIn(stage)).tab.close();
    await stage.clock.advance(2 * WEEK);
    const app = await stage.open(options());
    await stage.clock.advance(1_000);
    expect([seen.exchanges, app.status()]).toEqual([0, "signed-out: expired"]);
  });

  it("a server that gives the same one again is not asked again at once", async () => {
    const stage = scene({ server: week });
    const { access_token } = stage.server.signIn();
    let exchanges = 0;
    stage.server.apiAnswer = () => {
      exchanges += 1;
      return json(200, { token: access_token });
    };
    await stage.signedIn(options(HOUR), { access_token });
    await stage.clock.advance(3 * HOUR);
    expect(exchanges).toBeLessThanOrEqual(4);
  });

  it("a week of absence ends it: the expired token is never sent, and the session ends in all tabs", async () => {
    const stage = scene({ server: week });
    const seen = backEnd(stage);
    const app = await signedIn(stage);
    const other = await stage.open(options());
    await stage.clock.sleep(WEEK + MINUTE);
    expect(await stage.outcome(app.session.getToken())).toBe("not-renewable");
    await stage.clock.advance(MINUTE);
    expect([seen.exchanges, app.status(), other.status()]).toEqual([0, "signed-out: expired", "signed-out: expired"]);
    expect((await stage.open(options())).status()).toBe("signed-out: expired");
  });

  it.each([2 * HOUR, DAY, 30 * DAY])("R16 on a clock that is fast by %s ms, more than its whole life, goes on", async (fast) => {
    const stage = scene({ server: { accessSeconds: HOUR / 1000, tellsLifetime: false } });
    const seen = backEnd(stage);
    stage.clock.jump(fast);
    const app = await signedIn(stage);
    await stage.clock.advance(3 * HOUR);
    expect([app.status(), await stage.call(app)]).toEqual(["signed-in", 200]);
    expect(seen.exchanges, "one to learn the truth, and then ahead of each expiry").toBeLessThanOrEqual(6);
    expect(seen.bearers).toEqual(seen.bearers.map((_, n) => n + 1));
  });

  it("R16 that really had expired when the app signed in with it: the server is asked once, and its refusal ends the session", async () => {
    const stage = scene({ server: { accessSeconds: HOUR / 1000, tellsLifetime: false } });
    const seen = backEnd(stage);
    const { access_token } = stage.server.signIn();
    await stage.clock.advance(2 * HOUR);
    const app = await stage.signedIn(options(), { access_token });
    await stage.clock.advance(MINUTE);
    expect([app.bare.getSnapshot().degraded, await stage.call(app)]).toEqual([true, 401]);
    await stage.clock.advance(50);
    expect([app.status(), seen.exchanges]).toEqual(["signed-out: rejected", 1]);
  });

  it("that the exchange could not be had for until it expired is over as well", async () => {
    const stage = scene({ server: { accessSeconds: 3600, tellsLifetime: false } });
    const app = await signedIn(stage);
    stage.server.apiAnswer = () => json(503, {});
    await stage.clock.advance(2 * HOUR);
    expect(app.status()).toBe("signed-out: expired");
    const after = stage.world.network.sent.length;
    await stage.clock.advance(2 * HOUR);
    expect(stage.world.network.sent).toHaveLength(after);
  });

  it("in memory mode is renewed by any tab that has it, and is gone with the last one", async () => {
    const stage = scene({ server: week, session: { persist: memory() }, shares: true });
    backEnd(stage);
    const app = await signedIn(stage);
    const other = await stage.open(options());
    app.tab.close();
    expect(await stage.clock.until(other.session.refresh())).toBe("refreshed");
    other.tab.close();
    const late = await stage.open(options());
    expect(late.status()).toBe("signed-out: owner-closed");
  });
});
