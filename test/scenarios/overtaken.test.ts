import { describe, expect, it } from "vitest";
import { cookie, tokenPair } from "../../src/index.js";
import { json } from "../../src/testing/reply.js";
import { API } from "../../src/testing/token-server.js";
import type { SessionOptions } from "../../src/types/index.js";
import { MINUTE, revokingStrategy, type Scene, SECOND, scene } from "../support/scene.js";

/** A back end that renews by a cookie. Returns the number of its renewals. */
function backEnd(stage: Scene): () => number {
  let renewals = 0;
  stage.server.apiAnswer = ({ url }) => {
    if (!url.endsWith("/renew")) return undefined;
    renewals += 1;
    return json(200, { accessToken: stage.server.signIn("ada").access_token });
  };
  return () => renewals;
}
const byCookie: Partial<SessionOptions> = { refresh: cookie({ url: `${API}/renew` }) };

describe("R43 a sign-out after a sign-in by a cookie is the last word", () => {
  it("while storage is slow as the page opens", async () => {
    const stage = scene({ world: { delays: { store: () => 300 } } });
    const renewals = backEnd(stage);
    const app = stage.start(byCookie);
    const began = app.session.signIn().catch(({ code }) => code);
    await stage.clock.advance(100);
    await stage.clock.until(app.session.signOut());
    expect(await stage.clock.until(began)).toBe("signed-out");
    await stage.clock.advance(5 * SECOND);
    expect([app.status(), renewals(), (await stage.open(byCookie)).status()]).toEqual(["signed-out", 0, "signed-out"]);
  });

  it("while a refresh is under way, for which the sign-in waits", async () => {
    const stage = scene();
    const renewals = backEnd(stage);
    const app = await stage.open(byCookie);
    await stage.clock.until(app.session.signIn());
    stage.server.apiLatency = ({ url }) => (url.endsWith("/renew") ? 5 * SECOND : 0);
    app.session.refresh().catch(() => {});
    await stage.clock.advance(SECOND);
    const began = app.session.signIn().catch(({ code }) => code);
    await stage.clock.advance(SECOND);
    await stage.clock.until(app.session.signOut());
    expect(await stage.clock.until(began)).toBe("signed-out");
    await stage.clock.advance(20 * SECOND);
    expect([app.status(), renewals()]).toEqual(["signed-out: user", 2]);
  });
});

describe("R38 a sign-in whose page goes into the back/forward cache before it is stored", () => {
  it("does not replace the user who has signed in in another tab since, and revokes its tokens", async () => {
    const stage = scene({ world: { delays: { store: () => 20 } }, session: { refresh: revokingStrategy() } });
    const app = await stage.open();
    const other = await stage.open();
    const tokens = stage.server.signIn("ada");
    app.session.signIn(tokens).catch(() => {});
    app.tab.enterCache();
    await stage.clock.advance(10 * SECOND);
    const later = stage.server.signIn("grace");
    await stage.clock.until(other.session.signIn(later));
    await stage.clock.advance(MINUTE);
    app.tab.leaveCache();
    await stage.clock.advance(10 * SECOND);
    const subjects = [other, app, await stage.open()].map(({ bare }) => bare.getSnapshot().claims?.sub);
    expect(subjects).toEqual(["grace", "grace", "grace"]);
    const renews = ({ refresh_token = "" }: typeof tokens) => !!stage.server.grants.exchange(refresh_token).response;
    expect([stage.server.stats.revocations, renews(tokens), renews(later)]).toEqual([1, false, true]);
  });

  it("does not undo the sign-out in another tab since", async () => {
    const stage = scene({ world: { delays: { store: () => 20 } } });
    const app = await stage.signedIn();
    const other = await stage.open();
    app.session.signIn(stage.server.signIn("ada")).catch(() => {});
    app.tab.enterCache();
    await stage.clock.advance(10 * SECOND);
    await stage.clock.until(other.session.signOut());
    await stage.clock.advance(MINUTE);
    app.tab.leaveCache();
    await stage.clock.advance(10 * SECOND);
    expect([other, await stage.open()].map((each) => each.status())).toEqual(["signed-out: user", "signed-out: user"]);
  });

  it("does not undo the sign-out in another tab since, though the page had not read the ledger", async () => {
    const stage = scene({ world: { delays: { store: () => 20 } } });
    const other = await stage.signedIn();
    const app = stage.start();
    app.session.signIn(stage.server.signIn("ada")).catch(() => {});
    app.tab.enterCache();
    await stage.clock.advance(10 * SECOND);
    await stage.clock.until(other.session.signOut());
    await stage.clock.advance(MINUTE);
    app.tab.leaveCache();
    await stage.clock.advance(10 * SECOND);
    expect([other, app, await stage.open()].map((each) => each.status())).toEqual(Array(3).fill("signed-out: user"));
  });
});

it("R85 a sign-out by the app's own listener, after the session has heard that the page leaves, reaches the open tabs", async () => {
  const stage = scene();
  const app = await stage.signedIn();
  const other = await stage.open();
  app.tab.environment.onPageSignal((signal) => {
    if (signal === "hide") void app.bare.signOut();
  });
  app.tab.close();
  await stage.clock.advance(2 * SECOND);
  expect(other.status()).toBe("signed-out: user");
});

it("R85 a sign-out as the page goes into the back/forward cache ends no session that begins before its return", async () => {
  const stage = scene();
  const app = await stage.signedIn();
  const other = await stage.open();
  app.tab.enterCache();
  void app.bare.signOut();
  await stage.clock.advance(2 * SECOND);
  await stage.clock.until(other.session.signIn(stage.server.signIn("grace")));
  await stage.clock.advance(MINUTE);
  app.tab.leaveCache();
  await stage.clock.advance(10 * SECOND);
  expect([app, other, await stage.open()].map((each) => each.status())).toEqual(Array(3).fill("signed-in"));
});

it("R38 the last of many sign-ins in one task is followed by a sign-out: it is the last word", async () => {
  const stage = scene();
  const app = await stage.open();
  for (let index = 0; index < 6; index++) app.session.signIn(stage.server.signIn(`user ${index}`)).catch(() => {});
  void app.session.signOut();
  await stage.clock.advance(5 * SECOND);
  expect([app.status(), (await stage.open()).status()]).toEqual(["signed-out: user", "signed-out: user"]);
});

it("R92 a token pair with cookies: the sign-out address gets the former user's tokens without the new user's cookies", async () => {
  const stage = scene();
  const tab = stage.world.tab();
  const told: string[] = [];
  stage.server.apiAnswer = ({ url }) => (url.endsWith("/logout") ? json(200, {}) : undefined);
  const fetch: typeof globalThis.fetch = (input, init) => {
    const request = input as Request;
    if (request.url.endsWith("/logout")) told.push(request.credentials);
    return tab.environment.fetch(input, init);
  };
  const refresh = tokenPair({ url: `${API}/renew`, credentials: "include", signOutUrl: `${API}/logout` });
  const app = await stage.open({ environment: { ...tab.environment, fetch }, refresh }, { tab });
  await stage.clock.until(app.session.signIn(stage.server.signIn("ada")));
  await stage.clock.until(app.session.signIn(stage.server.signIn("grace")));
  await stage.clock.advance(SECOND);
  await stage.clock.until(app.session.signOut());
  await stage.clock.advance(SECOND);
  expect(told).toEqual(["omit", "include"]);
});
