import { describe, expect, it } from "vitest";
import { cookie } from "../../src/index.js";
import { maxAge } from "../../src/limits/max-age.js";
import { down } from "../../src/testing/faults.js";
import { json } from "../../src/testing/reply.js";
import { API, TOKEN_ENDPOINT } from "../../src/testing/token-server.js";
import { DAY, HOUR, MINUTE, revokingStrategy, type SceneOptions, SECOND, scene, strategy } from "../support/scene.js";

describe("the absolute limit", () => {
  it("R41 ends the session in all tabs with reason max-age, surviving refreshes and reloads", async () => {
    const stage = scene({ session: { maxAge: maxAge(5 * HOUR) } });
    const app = await stage.signedIn();
    await stage.clock.advance(3 * HOUR);
    app.tab.close();
    const apps = [await stage.open(), await stage.open()];
    await stage.clock.advance(2 * HOUR - SECOND);
    expect(apps.map((one) => one.status())).toEqual(["signed-in", "signed-in"]);
    const before = stage.server.stats.refreshes;
    expect(before).toBeGreaterThan(3);
    await stage.clock.advance(2 * SECOND);
    expect(apps.map((one) => [one.status(), one.count("signed-out")])).toEqual([
      ["signed-out: max-age", 1],
      ["signed-out: max-age", 1],
    ]);
    await stage.clock.advance(DAY);
    expect(stage.server.stats.attempts).toBe(before);
  });

  it("R41 begins anew with a new sign-in", async () => {
    const stage = scene({ session: { maxAge: maxAge(5 * HOUR) } });
    const app = await stage.signedIn();
    await stage.clock.advance(4 * HOUR);
    await stage.clock.until(app.session.signIn(stage.server.signIn()));
    await stage.clock.advance(4 * HOUR);
    expect(app.status()).toBe("signed-in");
  });

  it("R41 plans no refresh of a token that lives as long as the session", async () => {
    const stage = scene({ session: { maxAge: maxAge(58 * MINUTE) } });
    const app = await stage.signedIn();
    expect(app.bare.getSnapshot().refreshDueAt).toBeNull();
    await stage.clock.advance(58 * MINUTE - SECOND);
    expect(await stage.clock.until(app.session.getToken({ minValidity: 20 * MINUTE }))).toBe(app.bare.peekToken());
    expect([stage.serial(app), stage.server.stats.attempts]).toEqual([1, 0]);
    await stage.clock.advance(2 * SECOND);
    expect(app.status()).toBe("signed-out: max-age");
  });

  it("R41 renews a token that dies before the session does, however near its end", async () => {
    const stage = scene({ session: { maxAge: maxAge(HOUR + MINUTE), lead: 5 * MINUTE } });
    const app = await stage.signedIn();
    await stage.clock.advance(HOUR + 30 * SECOND);
    expect([app.status(), stage.serial(app)]).toEqual(["signed-in", 2]);
  });

  it("R41 is over first, whatever is due, after a sleep past it", async () => {
    const stage = scene({ session: { maxAge: maxAge(5 * HOUR), refresh: revokingStrategy() } });
    const app = await stage.signedIn();
    await stage.clock.sleep(10 * HOUR);
    expect(await stage.outcome(app.session.refresh())).toBe("signed-out");
    await stage.clock.advance(SECOND);
    expect([app.status(), stage.server.stats.attempts, stage.server.stats.revocations]).toEqual(["signed-out: max-age", 0, 1]);
  });

  it("R41 holds for a session that was left behind by a browser that was closed", async () => {
    const stage = scene({ session: { maxAge: maxAge(5 * HOUR), refresh: revokingStrategy() } });
    (await stage.signedIn()).tab.close();
    await stage.clock.advance(DAY);
    const app = await stage.open();
    expect([app.status(), app.count("signed-in"), stage.server.stats.attempts]).toEqual(["signed-out: max-age", 0, 0]);
    await stage.clock.advance(SECOND);
    expect(stage.server.stats.revocations).toBe(1);
  });
});

describe("the absolute limit, when things go wrong at that very moment", () => {
  it("R41 lets no request out after a sleep between the mark and the send of an own function", async () => {
    let prepare = async () => {};
    const stage = scene({
      session: {
        maxAge: maxAge(5 * HOUR),
        name: "app",
        refresh: async ({ tokens, fetch }) => {
          await prepare();
          const body = new URLSearchParams({ grant_type: "refresh_token", refresh_token: tokens.refreshToken ?? "" });
          return (await fetch(TOKEN_ENDPOINT, { method: "POST", body })).json();
        },
      },
    });
    const app = await stage.signedIn();
    let prepared = () => {};
    prepare = () =>
      new Promise((resolve) => {
        prepared = resolve;
      });
    const asked = app.session.refresh();
    await stage.clock.advance(SECOND);
    await stage.clock.sleep(10 * HOUR);
    prepared();
    expect(await stage.outcome(asked)).toBe("signed-out");
    expect([app.status(), stage.server.stats.attempts]).toEqual(["signed-out: max-age", 0]);
  });

  it("R41 holds although storage hangs, and no request goes out with the token", async () => {
    const stage = scene({ session: { maxAge: maxAge(5 * HOUR) } });
    const app = await stage.signedIn();
    await stage.clock.advance(5 * HOUR - SECOND);
    stage.world.stores.trouble = () => "hanging";
    await stage.clock.advance(2 * SECOND);
    expect([app.bare.peekToken(), await stage.call(app), stage.server.apiCalls.at(-1)?.bearer]).toEqual([null, 401, "none"]);
    await stage.clock.advance(3 * SECOND);
    expect([app.status(), app.count("signed-out")]).toEqual(["signed-out: max-age", 1]);
    stage.world.stores.trouble = () => "none";
    await stage.clock.advance(MINUTE);
    expect((await stage.open()).status()).toBe("signed-out: max-age");
  });

  it("R41 storage that answers late brings nothing back", async () => {
    let delay = 1;
    const stage = scene({ session: { maxAge: maxAge(5 * HOUR) }, world: { delays: { store: () => delay } } });
    const app = await stage.signedIn();
    await stage.clock.advance(5 * HOUR - SECOND);
    delay = 8 * SECOND;
    await stage.clock.advance(MINUTE);
    expect([app.status(), app.events().filter((event) => event !== "refreshed")]).toEqual([
      "signed-out: max-age",
      ["signed-in", "signed-out"],
    ]);
  });

  it("R41 a sign-in by a cookie that is under way when the session before it ends begins the next one", async () => {
    const stage = scene({ session: { maxAge: maxAge(HOUR), refresh: cookie({ url: `${API}/renew` }) } });
    stage.server.apiAnswer = () => json(200, { accessToken: stage.server.signIn().access_token });
    const app = await stage.open();
    await stage.clock.until(app.session.signIn());
    await stage.clock.advance(HOUR - 2 * SECOND);
    stage.server.apiLatency = () => 5 * SECOND;
    expect(await stage.outcome(app.session.signIn())).toBeUndefined();
    expect(app.status()).toBe("signed-in");
    await stage.clock.advance(50 * MINUTE);
    expect([app.status(), (await stage.open()).status()]).toEqual(["signed-in", "signed-in"]);
  });

  it("R41 gives back the refresh token that is in force, when the tab that notices has slept through its renewal", async () => {
    const revoked: unknown[] = [];
    const revoke = async ({ tokens }: { tokens: { refreshToken?: string | undefined } }) => revoked.push(tokens.refreshToken);
    const stage = scene({ session: { maxAge: maxAge(5 * HOUR), refresh: { ...strategy(), revoke } } });
    const sleeper = await stage.signedIn();
    const other = await stage.open();
    sleeper.tab.freeze();
    await stage.clock.until(other.session.refresh());
    other.tab.close();
    await stage.clock.advance(6 * HOUR);
    sleeper.tab.thaw();
    await stage.clock.advance(SECOND);
    expect(sleeper.status()).toBe("signed-out: max-age");
    expect(stage.server.grants.exchange(String(revoked)).response).not.toBeNull();
  });
});

describe("a session end that the server gives", () => {
  it("R41 is kept, and nothing is renewed beyond it", async () => {
    const stage = scene({ server: { response: { session_expires_in: 7200 } }, session: { maxAge: maxAge() } });
    const app = await stage.signedIn();
    stage.server.grants.options.response = {};
    await stage.clock.advance(2 * HOUR - SECOND);
    expect([app.status(), stage.server.stats.refreshes > 0]).toEqual(["signed-in", true]);
    await stage.clock.advance(2 * SECOND);
    expect(app.status()).toBe("signed-out: max-age");
  });

  it("R41 moves when a later answer says so, but not beyond maxAge", async () => {
    const stage = scene({ server: { response: { session_expires_in: 7200 } }, session: { maxAge: maxAge(5 * HOUR) } });
    const app = await stage.signedIn();
    await stage.clock.advance(5 * HOUR - SECOND);
    expect(app.status()).toBe("signed-in");
    await stage.clock.advance(2 * SECOND);
    expect(app.status()).toBe("signed-out: max-age");
  });
});

describe("a password that was changed", () => {
  it("is heard as claims-changed where the server asks no new login", async () => {
    const stage = scene({ server: { claims: { mustChangePassword: true } } });
    const apps = [await stage.signedIn(), await stage.open()];
    stage.server.grants.options.claims = { mustChangePassword: false };
    await stage.clock.advance(HOUR);
    for (const app of apps) {
      const [change, ...more] = app.payloads("claims-changed");
      expect([change?.before?.mustChangePassword, change?.after?.mustChangePassword, more]).toEqual([true, false, []]);
    }
  });

  it("R20 is the end at the next renewal that somebody needs where the server does, once in every tab", async () => {
    const stage = scene();
    const apps = [await stage.signedIn(), await stage.open()];
    stage.server.grants.revoke("ada");
    await stage.clock.advance(HOUR + MINUTE);
    expect(apps.map((app) => [app.status(), app.count("signed-out")])).toEqual([
      ["signed-out: rejected", 1],
      ["signed-out: rejected", 1],
    ]);
  });
});

describe("renewOnOpen", () => {
  it("renews a token that is not due when the app opens", async () => {
    const stage = scene({ session: { renewOnOpen: true, lead: 5 * MINUTE } });
    await stage.signedIn();
    await stage.clock.advance(5 * MINUTE);
    const app = await stage.open();
    await stage.clock.advance(SECOND);
    expect([stage.serial(app), stage.server.stats.attempts]).toEqual([2, 1]);
  });

  it("renews once when several tabs open", async () => {
    const stage = scene({ session: { renewOnOpen: true, lead: 5 * MINUTE } });
    await stage.signedIn();
    await stage.clock.advance(5 * MINUTE);
    const apps = [stage.start(), stage.start(), stage.start()];
    await stage.clock.advance(5 * SECOND);
    apps.push(await stage.open());
    await stage.clock.advance(5 * SECOND);
    expect([apps.map((app) => stage.serial(app)), stage.server.stats.attempts]).toEqual([[2, 2, 2, 2], 1]);
  });

  describe("with renewWhileHidden: false, in a page that is opened hidden", () => {
    async function openHidden(options: SceneOptions["session"] = {}) {
      const stage = scene({ session: { renewOnOpen: true, renewWhileHidden: false, lead: 5 * MINUTE, ...options } });
      (await stage.signedIn()).tab.close();
      await stage.clock.advance(10 * MINUTE);
      const tab = stage.world.tab();
      tab.hidden = true;
      return { stage, app: await stage.open({}, { tab }) };
    }

    it("R91 renews nothing, however long it stays hidden", async () => {
      const { stage, app } = await openHidden();
      await stage.clock.advance(5 * HOUR);
      for (const signal of ["online", "wake"] as const) app.tab.signal(signal);
      await stage.clock.advance(SECOND);
      expect([app.status(), stage.server.stats.attempts]).toEqual(["signed-in", 0]);
    });

    it("R91 renews once when it is seen, though the token is not due", async () => {
      const { stage, app } = await openHidden();
      await stage.clock.advance(10 * MINUTE);
      app.tab.hidden = false;
      app.tab.signal("wake");
      await stage.clock.advance(5 * SECOND);
      expect([stage.serial(app), stage.server.stats.attempts]).toEqual([2, 1]);
      await stage.clock.advance(5 * MINUTE);
      app.tab.signal("wake");
      await stage.clock.advance(5 * SECOND);
      expect(stage.server.stats.attempts).toBe(1);
    });

    it("R91 renews nothing when it is seen, where another tab has renewed within the last minute", async () => {
      const { stage, app } = await openHidden();
      await stage.clock.advance(10 * MINUTE);
      await stage.clock.until((await stage.open({ renewOnOpen: false })).session.refresh());
      await stage.clock.advance(30 * SECOND);
      app.tab.hidden = false;
      app.tab.signal("wake");
      await stage.clock.advance(5 * SECOND);
      expect([stage.serial(app), stage.server.stats.attempts]).toEqual([2, 1]);
    });

    it("R91 renews nothing when it is seen after a sign-out", async () => {
      const { stage, app } = await openHidden();
      await stage.clock.until(app.session.signOut());
      app.tab.hidden = false;
      app.tab.signal("wake");
      await stage.clock.advance(MINUTE);
      expect([app.status(), stage.server.stats.attempts]).toEqual(["signed-out: user", 0]);
    });

    it("R91 renews at once where renewWhileHidden is true", async () => {
      const { stage, app } = await openHidden({ renewWhileHidden: true });
      await stage.clock.advance(SECOND);
      expect([stage.serial(app), stage.server.stats.attempts]).toEqual([2, 1]);
    });
  });

  it("R91 a page that is seen when it opens renews at once, and not again when it is hidden and seen", async () => {
    const stage = scene({ session: { renewOnOpen: true, renewWhileHidden: false, lead: 5 * MINUTE } });
    await stage.signedIn();
    await stage.clock.advance(10 * MINUTE);
    const app = await stage.open();
    await stage.clock.advance(10 * MINUTE);
    app.tab.signal("wake");
    await stage.clock.advance(SECOND);
    expect([stage.serial(app), stage.server.stats.attempts]).toEqual([2, 1]);
  });

  it("R42 does nothing for somebody who is not signed in", async () => {
    const stage = scene({ session: { renewOnOpen: true, lead: 5 * MINUTE } });
    await stage.open();
    await stage.clock.advance(MINUTE);
    expect(stage.server.stats.attempts).toBe(0);
  });
});

describe("renewWhileHidden: false", () => {
  it("leaves a renewal that failed alone when the network is back and nobody sees the page", async () => {
    const stage = scene({ session: { renewWhileHidden: false, lead: 5 * MINUTE } });
    const app = await stage.signedIn();
    stage.server.faults.push(down());
    await stage.clock.advance(56 * MINUTE);
    app.tab.hidden = true;
    await stage.clock.advance(HOUR);
    app.tab.signal("online");
    await stage.clock.advance(MINUTE);
    expect([app.status(), stage.server.stats.attempts]).toEqual(["signed-in", 1]);
  });

  it("lets the token lapse while nobody sees the page, and renews when it is seen again", async () => {
    const stage = scene({ session: { renewWhileHidden: false, lead: 5 * MINUTE } });
    const app = await stage.signedIn();
    app.tab.hidden = true;
    await stage.clock.advance(5 * HOUR);
    expect([app.status(), stage.server.stats.attempts]).toEqual(["signed-in", 0]);
    app.tab.hidden = false;
    app.tab.signal("wake");
    await stage.clock.advance(SECOND);
    expect([stage.serial(app), stage.server.stats.attempts]).toEqual([2, 1]);
  });

  it("renews for a call that needs a token", async () => {
    const stage = scene({ session: { renewWhileHidden: false, lead: 5 * MINUTE } });
    const app = await stage.signedIn();
    app.tab.hidden = true;
    await stage.clock.advance(5 * HOUR);
    expect([await stage.call(app), stage.server.stats.refreshes]).toEqual([200, 1]);
  });

  it("leaves it to a tab that is seen", async () => {
    const stage = scene({ session: { renewWhileHidden: false, lead: 5 * MINUTE } });
    const hidden = await stage.signedIn();
    hidden.tab.hidden = true;
    const seen = await stage.open();
    await stage.clock.advance(HOUR);
    expect([stage.serial(hidden), stage.serial(seen), stage.server.stats.attempts]).toEqual([2, 2, 1]);
    expect(stage.holder()).toBe(seen);
  });
});
