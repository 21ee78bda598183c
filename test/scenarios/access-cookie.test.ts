import { describe, expect, it } from "vitest";
import { tokenPair } from "../../src/index.js";
import { json } from "../../src/testing/reply.js";
import { API } from "../../src/testing/token-server.js";
import type { SessionOptions } from "../../src/types/index.js";
import { HOUR, MINUTE, type Scene, SECOND, scene } from "../support/scene.js";

/** A back end on the API's origin that keeps the access token in a cookie. */
function backEnd(stage: Scene, seconds: number | null = 300) {
  const seen = { renewals: 0 };
  stage.server.apiAnswer = ({ url }) => {
    if (!url.endsWith("/renew")) return undefined;
    seen.renewals += 1;
    return json(200, { refreshToken: `r${seen.renewals}`, expiresIn: seconds });
  };
  return seen;
}

const options: Partial<SessionOptions> = {
  refresh: tokenPair({ url: `${API}/renew`, accessTokenField: null, credentials: "include" }),
};

async function signedIn(stage: Scene, tokens: Parameters<Scene["signedIn"]>[1] | object = { refreshToken: "r0", expiresIn: 300 }) {
  const tab = stage.world.tab();
  const credentials: (string | undefined)[] = [];
  const { fetch } = tab.environment;
  const watched: typeof fetch = (input, init) => {
    credentials.push(init?.credentials ?? (input instanceof Request ? input.credentials : undefined));
    return fetch(input, init);
  };
  const app = await stage.open({ ...options, environment: { ...tab.environment, fetch: watched } }, { tab });
  await stage.clock.until(app.session.signIn(tokens as never));
  return { app, credentials };
}

describe("an access token in a cookie", () => {
  it("is never attached: requests to allowed origins have credentials, others are left alone", async () => {
    const stage = scene();
    backEnd(stage);
    stage.server.apiAnswer = () => json(200, {});
    const { app, credentials } = await signedIn(stage);
    await stage.call(app);
    await stage.clock.until(app.session.fetch(new Request(`${API}/me`)));
    await stage.clock.until(app.session.fetch(`${API}/me`, { credentials: "omit" }));
    await stage.clock.until(app.session.fetch("https://elsewhere.test/"));
    expect(credentials).toEqual(["include", "include", "omit", undefined]);
    expect(stage.server.apiCalls.map(({ bearer }) => bearer)).toEqual(["none", "none", "none", "none"]);
  });

  it("getToken and peekToken have nothing to show but that the session is fresh", async () => {
    const stage = scene();
    const seen = backEnd(stage);
    const { app } = await signedIn(stage);
    expect([app.session.peekToken(), await stage.clock.until(app.session.getToken())]).toEqual(["", ""]);
    await stage.clock.sleep(HOUR);
    expect(app.session.peekToken()).toBeNull();
    expect(await stage.clock.until(app.session.getToken())).toBe("");
    expect([seen.renewals, app.session.getSnapshot()]).toMatchObject([1, { status: "signed-in", claims: null }]);
    await stage.clock.until(app.session.signOut());
    expect([app.session.peekToken(), await stage.clock.until(app.session.getToken())]).toEqual([null, null]);
  });

  it("is renewed ahead of expiry by one of the tabs, and the others are told", async () => {
    const stage = scene();
    const seen = backEnd(stage);
    const { app } = await signedIn(stage);
    const other = await stage.open(options);
    await stage.clock.advance(5 * MINUTE);
    expect(seen.renewals).toBeGreaterThan(0);
    expect(seen.renewals).toBeLessThan(3);
    expect([app.count("refreshed"), other.count("refreshed")]).toEqual([seen.renewals, seen.renewals]);
    expect(app.count("claims-changed")).toBe(0);
  });

  it("without expiresIn, a 401 renews it: once for all that were refused, and each is sent again", async () => {
    const stage = scene();
    const seen = backEnd(stage, null);
    const { app } = await signedIn(stage, { refreshToken: "r0" });
    const renew = stage.server.apiAnswer;
    stage.server.apiAnswer = (call, request) => renew(call, request) ?? json(seen.renewals ? 200 : 401, {});
    stage.server.apiLatency = ({ url }) => (url.endsWith("/late") ? 5 * SECOND : 0);
    const calls = ["a", "b", "late"].map((path) => app.session.fetch(`${API}/${path}`));
    expect((await stage.clock.until(Promise.all(calls))).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect([seen.renewals, app.session.getSnapshot().expiresAt]).toEqual([1, null]);
  });
});
