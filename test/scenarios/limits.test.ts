import { describe, expect, it } from "vitest";
import { DAY, HOUR, MINUTE, revokingStrategy, SECOND, scene } from "../support/scene.js";

describe("the absolute limit", () => {
  it("R41 ends the session in all tabs with reason max-age, surviving refreshes and reloads", async () => {
    const stage = scene({ session: { maxAge: 5 * HOUR } });
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
    const stage = scene({ session: { maxAge: 5 * HOUR } });
    const app = await stage.signedIn();
    await stage.clock.advance(4 * HOUR);
    await stage.clock.until(app.session.signIn(stage.server.signIn()));
    await stage.clock.advance(4 * HOUR);
    expect(app.status()).toBe("signed-in");
  });

  it("R41 plans no refresh of a token that lives as long as the session", async () => {
    const stage = scene({ session: { maxAge: 58 * MINUTE } });
    const app = await stage.signedIn();
    expect(app.bare.getSnapshot().refreshDueAt).toBeNull();
    await stage.clock.advance(58 * MINUTE - SECOND);
    expect(await stage.clock.until(app.session.getToken({ minValidity: 20 * MINUTE }))).toBe(app.bare.peekToken());
    expect([stage.serial(app), stage.server.stats.attempts]).toEqual([1, 0]);
    await stage.clock.advance(2 * SECOND);
    expect(app.status()).toBe("signed-out: max-age");
  });

  it("R41 renews a token that dies before the session does, however near its end", async () => {
    const stage = scene({ session: { maxAge: HOUR + MINUTE, lead: 5 * MINUTE } });
    const app = await stage.signedIn();
    await stage.clock.advance(HOUR + 30 * SECOND);
    expect([app.status(), stage.serial(app)]).toEqual(["signed-in", 2]);
  });

  it("R41 is over first, whatever is due, after a sleep past it", async () => {
    const stage = scene({ session: { maxAge: 5 * HOUR, refresh: revokingStrategy() } });
    const app = await stage.signedIn();
    await stage.clock.sleep(10 * HOUR);
    expect(await stage.outcome(app.session.refresh())).toBe("signed-out");
    await stage.clock.advance(SECOND);
    expect([app.status(), stage.server.stats.attempts, stage.server.stats.revocations]).toEqual(["signed-out: max-age", 0, 1]);
  });

  it("R41 holds for a session that was left behind by a browser that was closed", async () => {
    const stage = scene({ session: { maxAge: 5 * HOUR, refresh: revokingStrategy() } });
    (await stage.signedIn()).tab.close();
    await stage.clock.advance(DAY);
    const app = await stage.open();
    expect([app.status(), app.count("signed-in"), stage.server.stats.attempts]).toEqual(["signed-out: max-age", 0, 0]);
    await stage.clock.advance(SECOND);
    expect(stage.server.stats.revocations).toBe(1);
  });
});

describe("a session end that the server gives", () => {
  it("R41 is kept, and nothing is renewed beyond it", async () => {
    const stage = scene({ server: { response: { session_expires_in: 7200 } } });
    const app = await stage.signedIn();
    stage.server.grants.options.response = {};
    await stage.clock.advance(2 * HOUR - SECOND);
    expect([app.status(), stage.server.stats.refreshes > 0]).toEqual(["signed-in", true]);
    await stage.clock.advance(2 * SECOND);
    expect(app.status()).toBe("signed-out: max-age");
  });

  it("R41 moves when a later answer says so, but not beyond maxAge", async () => {
    const stage = scene({ server: { response: { session_expires_in: 7200 } }, session: { maxAge: 5 * HOUR } });
    const app = await stage.signedIn();
    await stage.clock.advance(5 * HOUR - SECOND);
    expect(app.status()).toBe("signed-in");
    await stage.clock.advance(2 * SECOND);
    expect(app.status()).toBe("signed-out: max-age");
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

  it("R42 does nothing for somebody who is not signed in", async () => {
    const stage = scene({ session: { renewOnOpen: true, lead: 5 * MINUTE } });
    await stage.open();
    await stage.clock.advance(MINUTE);
    expect(stage.server.stats.attempts).toBe(0);
  });
});

describe("renewWhileHidden: false", () => {
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
