import { describe, expect, it } from "vitest";
import { audiences, cookie, renewalHeader, SessionError } from "../../src/index.js";
import { answers, down, type Fault, html, throttled, unreachable } from "../../src/testing/faults.js";
import { makeJwt } from "../../src/testing/jwt.js";
import { json } from "../../src/testing/reply.js";
import { API } from "../../src/testing/token-server.js";
import type { App } from "../support/app.js";
import { DAY, HOUR, MINUTE, type Scene, SECOND, scene } from "../support/scene.js";

const warnings = ({ tab }: App) => tab.reports.filter((report) => JSON.stringify(report).includes("answer:"));

describe("a server that works and is not understood", () => {
  const ODD: Record<string, Fault> = {
    "a 200 without a token": answers(200, { ok: true }),
    "a 200 that is HTML": html(200),
    "an empty 204": answers(204),
    "a token of another type": answers(200, { access_token: "bound", token_type: "DPoP" }),
    "an HTML 401": html(401),
    "404": down(404),
    "a 409 with JSON": answers(409, { error: "busy" }),
  };

  it.each(Object.entries(ODD))("R63 %s, day after day: an attempt an hour, and one warning that names `answer`", async (_, fault) => {
    const stage = scene({ server: { accessSeconds: 60 } });
    const app = await stage.signedIn();
    stage.server.fault = fault;
    await stage.clock.advance(DAY);
    expect(stage.server.stats.attempts).toBeLessThan(50);
    expect(warnings(app)).toHaveLength(1);
    const { attempts } = stage.server.stats;
    await stage.clock.advance(DAY);
    expect(stage.server.stats.attempts - attempts).toBeGreaterThanOrEqual(23);
    expect(stage.server.stats.attempts - attempts).toBeLessThanOrEqual(25);
    expect([warnings(app).length, app.status()]).toEqual([1, "signed-in"]);
  });

  it.each([
    ["503", down()],
    ["408", down(408)],
    ["429", answers(429, {})],
    ["a network error", unreachable],
  ])("R63 an outage keeps its pace for as long as it lasts: %s", async (_, fault) => {
    const stage = scene({ server: { accessSeconds: 60 } });
    const app = await stage.signedIn();
    stage.server.fault = fault;
    await stage.clock.advance(HOUR);
    const { attempts } = stage.server.stats;
    await stage.clock.advance(10 * MINUTE);
    expect(stage.server.stats.attempts - attempts).toBeGreaterThan(30);
    expect(warnings(app)).toEqual([]);
  });

  it("R63 nine in a row are no reason, and an outage begins the count anew", async () => {
    const stage = scene({ server: { accessSeconds: 60 } });
    const app = await stage.signedIn();
    for (let round = 0; round < 5; round += 1) stage.server.faults.push(...Array<Fault>(9).fill(down(404)), down());
    await stage.clock.advance(20 * MINUTE);
    expect([stage.server.stats.attempts > 50, stage.serial(app), warnings(app)]).toEqual([true, expect.any(Number), []]);
  });

  it("R63 calls of the app, the network that is back and a page that is looked at again keep the pace of failures", async () => {
    const stage = scene({ server: { accessSeconds: 60 } });
    const app = await stage.signedIn();
    stage.server.fault = down(404);
    await stage.clock.advance(6 * HOUR);
    const attempts = async (cause: () => void) => {
      const before = stage.server.stats.attempts;
      await stage.clock.advance(2 * MINUTE);
      const quiet = stage.server.stats.attempts - before;
      cause();
      await stage.clock.advance(5 * SECOND);
      return [quiet, stage.server.stats.attempts - before - quiet];
    };
    expect(await attempts(() => app.tab.signal("online"))).toEqual([0, 1]);
    expect(await attempts(() => app.tab.signal("wake"))).toEqual([0, 1]);
    expect(await attempts(() => void app.session.getToken().catch(() => {}))).toEqual([0, 1]);
    expect(await attempts(() => void app.session.refresh().catch(() => {}))).toEqual([0, 1]);
    stage.server.fault = null;
    await stage.clock.advance(MINUTE);
    expect([await stage.call(app), app.bare.getSnapshot().degraded]).toEqual([200, false]);
  });

  it("R63 an own function that gets no tokens is no different", async () => {
    const stage = scene({ server: { accessSeconds: 60 } });
    let calls = 0;
    const refresh = () => {
      calls += 1;
      return { ok: true } as never;
    };
    const app = await stage.signedIn({ refresh, name: "pace" });
    await stage.clock.advance(DAY);
    expect([calls < 50, warnings(app).length]).toEqual([true, 1]);
  });
});

describe("Retry-After", () => {
  /** Every cause there is, in every tab. */
  const clamour = (apps: App[]) => {
    for (const { session, tab } of apps) {
      for (const asked of [session.getToken(), session.refresh(), session.fetch(`${API}/me`)]) asked.catch(() => {});
      tab.signal("online");
      tab.signal("wake");
    }
  };
  async function failed(stage: Scene, fault: Fault) {
    const apps = [await stage.signedIn(), await stage.open()];
    await stage.clock.sleep(2 * HOUR);
    stage.server.faults.push(fault);
    const error = (await stage.clock.until((apps[0] as App).session.getToken().catch((thrown: unknown) => thrown))) as SessionError;
    await stage.clock.advance(10);
    return { apps, error, sent: stage.server.tokenCalls.at(-1)?.at ?? 0 };
  }
  const inDate = (stage: Scene, milliseconds: number) => new Date(stage.clock.now() + 2 * HOUR + milliseconds).toUTCString();

  it.each([
    ["2 s", "2", 2 * SECOND],
    ["30 s", "30", 30 * SECOND],
    ["30 s, said twice", "30, 30", 30 * SECOND],
    ["a fraction", "2.5", 2.5 * SECOND],
  ])("R64 %s: no tab tries before, whatever the cause, and a call may then", async (_, value, asked) => {
    const stage = scene();
    const { apps, error, sent } = await failed(stage, answers(503, {}, { "retry-after": value }));
    expect(error).toMatchObject({ code: "throttled", status: 503, retryAfter: asked });
    for (let step = 0; stage.clock.now() < sent + asked - 100; step += 1) {
      if (step % 5 === 0) clamour(apps);
      await stage.clock.advance(100);
    }
    expect(stage.server.stats.attempts).toBe(1);
    await stage.clock.advance(200);
    const token = stage.clock.until((apps[1] as App).session.getToken());
    expect(stage.server.grants.serialOf(await token)).toBeGreaterThan(1);
  });

  it.each([
    ["200 with 0", answers(200, {}, { "retry-after": "0" })],
    ["503 with 0", answers(503, {}, { "retry-after": "0" })],
    ["429 with 0", throttled(0)],
    ["503 with a date in the past", answers(503, {}, { "retry-after": "Tue, 01 Jan 2019 00:00:00 GMT" })],
    ["429 with a date in the past", throttled("Tue, 01 Jan 2019 00:00:00 GMT")],
    ["503 with a negative number", answers(503, {}, { "retry-after": "-30" })],
  ])("R64 %s says nothing about when: the usual pace", async (_, fault) => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.fault = fault;
    await stage.clock.sleep(2 * HOUR);
    app.tab.signal("wake");
    await stage.clock.advance(70 * MINUTE);
    expect(stage.server.stats.attempts).toBeGreaterThan(5);
    expect(stage.server.stats.attempts).toBeLessThan(50);
    const { error } = app.payloads("refresh-failed")[0] as { error: SessionError };
    expect([error.retryAfter, error.code === "throttled"]).toEqual([undefined, error.status === 429]);
  });

  it.each([
    [1, 10, 40],
    [4, 10, 40],
    [5, 500, 720],
  ])("R64 %i s leave the scheduler its usual pace if they are less than five", async (asked, least, most) => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.server.fault = throttled(asked);
    await stage.clock.sleep(2 * HOUR);
    app.tab.signal("wake");
    await stage.clock.advance(HOUR);
    expect(stage.server.stats.attempts).toBeGreaterThan(least);
    expect(stage.server.stats.attempts).toBeLessThan(most);
  });

  it("R64 after it calls go by 1, 4, 16, 60 s since the failure", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    await stage.clock.sleep(2 * HOUR);
    stage.server.fault = throttled(2);
    const end = stage.clock.now() + 4 * MINUTE;
    while (stage.clock.now() < end) {
      app.session.getToken().catch(() => {});
      await stage.clock.advance(100);
    }
    const gaps = stage.server.tokenCalls.map(({ at }, index, all) => Math.round((at - (all[index - 1]?.at ?? at)) / SECOND)).slice(1);
    expect(gaps.slice(0, 4)).toEqual([2, 4, 16, 60]);
  });

  it("R64 a date counts by the shared clock where the server's own cannot be read", async () => {
    const stage = scene();
    const { apps, error, sent } = await failed(stage, answers(503, {}, { "retry-after": inDate(stage, 40 * SECOND) }));
    expect(error).toMatchObject({ code: "throttled", status: 503 });
    expect(error.retryAfter).toBeGreaterThan(38 * SECOND);
    expect(error.retryAfter).toBeLessThanOrEqual(40 * SECOND);
    while (stage.clock.now() < sent + 38 * SECOND) {
      clamour(apps);
      await stage.clock.advance(SECOND);
    }
    expect(stage.server.stats.attempts).toBe(1);
    await stage.clock.advance(10 * SECOND);
    expect(stage.server.stats.attempts).toBe(2);
  });

  it("R64 the pause is a day at most, and an own function's is bounded, too", async () => {
    for (const retryAfter of [1e300, Number.POSITIVE_INFINITY]) {
      const stage = scene();
      const refresh = () => Promise.reject(new SessionError("server", "later", { status: 503, retryAfter }));
      const app = await stage.signedIn({ refresh, name: "pace" });
      expect(await stage.outcome(app.session.refresh())).toBe("server");
      expect(app.failures).toMatchObject([{ retryAfter: DAY }]);
      expect(app.status()).toBe("signed-in");
    }
    for (const retryAfter of [Number.NaN, -1, 0]) {
      const stage = scene();
      const refresh = () => Promise.reject(new SessionError("server", "later", { status: 503, retryAfter }));
      const app = await stage.signedIn({ refresh, name: "pace" });
      await stage.outcome(app.session.refresh());
      expect(app.failures).toMatchObject([{ code: "server", retryAfter: undefined }]);
      await stage.clock.advance(MINUTE);
      expect([app.status(), app.bare.getSnapshot().degraded]).toEqual(["signed-in", true]);
    }
  });

  it("R64 holds for the session and all its audiences, whichever of them was told", async () => {
    const billing = "https://billing.example.test";
    const stage = scene({ session: { audiences: audiences({ [billing]: {} }) } });
    const app = await stage.signedIn();
    stage.server.faults.push(throttled(30));
    expect(await stage.outcome(app.session.getToken({ audience: billing }))).toBe("throttled");
    await stage.clock.advance(20 * SECOND);
    expect(await stage.outcome(app.session.refresh())).toBe("throttled");
    expect(stage.server.stats.attempts).toBe(1);
    const { retryAfter } = app.failures.at(-1) as SessionError;
    expect(retryAfter).toBeGreaterThan(9 * SECOND);
    expect(retryAfter).toBeLessThanOrEqual(10 * SECOND);
    await stage.clock.advance(10 * SECOND);
    expect(await stage.clock.until(app.session.refresh())).toBe("refreshed");
    expect(await stage.clock.until(app.session.getToken({ audience: billing }))).toEqual(expect.any(String));
  });

  it("R64 holds for a sign-in by a cookie", async () => {
    const stage = scene();
    let asked = 0;
    stage.server.apiAnswer = ({ url }) => {
      if (!url.endsWith("/renew")) return undefined;
      asked += 1;
      return asked === 1 ? json(429, {}, { "retry-after": "30" }) : json(200, { accessToken: stage.server.signIn().access_token });
    };
    const app = await stage.open({ refresh: cookie({ url: `${API}/renew` }) });
    expect(await stage.outcome(app.session.signIn())).toBe("throttled");
    await stage.clock.advance(10 * SECOND);
    expect(await stage.outcome(app.session.signIn())).toBe("throttled");
    expect([asked, app.status()]).toEqual([1, "signed-out"]);
    await stage.clock.advance(20 * SECOND);
    await stage.clock.until(app.session.signIn());
    expect([asked, app.status()]).toEqual([2, "signed-in"]);
  });
});

describe("what an error says of the pause", () => {
  it("R80 retryAfter is what the server asked for, and not how long the scheduler waits", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    await stage.clock.sleep(2 * HOUR);
    stage.server.fault = down();
    for (let call = 0; call < 6; call += 1) {
      await stage.outcome(app.session.getToken());
      await stage.clock.advance(4 * SECOND);
    }
    expect(app.failures.length).toBe(6);
    expect(stage.server.stats.attempts).toBeLessThan(6);
    for (const error of app.failures) expect(error).toMatchObject({ code: "server", status: 503, retryAfter: undefined });
  });
});

describe("a pause that the server asked for outlives the session", () => {
  /** A way by a cookie, whose second answer asks to wait. */
  function byCookie(stage: Scene) {
    const asked = { times: 0 };
    stage.server.apiLatency = ({ url }) => (url.endsWith("/renew") ? SECOND : 0);
    stage.server.apiAnswer = ({ url }) => {
      if (!url.endsWith("/renew")) return undefined;
      asked.times += 1;
      return asked.times === 2 ? json(429, {}, { "retry-after": "300" }) : json(200, { accessToken: stage.server.signIn().access_token });
    };
    return asked;
  }

  it("R64 a sign-out and a sign-in with tokens, whichever tab has heard of it", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const other = await stage.open();
    stage.server.faults.push(throttled(300));
    await stage.outcome(app.session.refresh());
    await stage.clock.until(other.session.signOut());
    await stage.clock.until(other.session.signIn(stage.server.signIn()));
    await stage.clock.advance(SECOND);
    for (const { session } of [app, other]) expect(await stage.outcome(session.refresh())).toBe("throttled");
    expect(stage.server.stats.attempts).toBe(1);
    await stage.clock.advance(300 * SECOND);
    expect(await stage.outcome(app.session.refresh())).toBe("refreshed");
  });

  it("R64 a sign-out and a sign-in by a cookie", async () => {
    const stage = scene();
    const asked = byCookie(stage);
    const app = await stage.open({ refresh: cookie({ url: `${API}/renew` }) });
    await stage.outcome(app.session.signIn());
    await stage.clock.advance(2 * SECOND);
    expect(await stage.outcome(app.session.refresh())).toBe("throttled");
    await stage.clock.until(app.session.signOut());
    expect([await stage.outcome(app.session.signIn()), asked.times]).toEqual(["throttled", 2]);
  });

  it("R64 a sign-out before the answer that asks for it", async () => {
    const stage = scene();
    const asked = byCookie(stage);
    const app = await stage.open({ refresh: cookie({ url: `${API}/renew` }) });
    await stage.outcome(app.session.signIn());
    await stage.clock.advance(2 * SECOND);
    app.session.refresh().catch(() => {});
    await stage.clock.advance(300);
    await stage.clock.until(app.session.signOut());
    await stage.clock.advance(3 * SECOND);
    expect([await stage.outcome(app.session.signIn()), asked.times]).toEqual(["throttled", 2]);
  });

  it("R64 a token that the API gave", async () => {
    const stage = scene({ session: { renewalHeader: renewalHeader("x-token") } });
    const app = await stage.signedIn();
    const now = stage.clock.now() / SECOND;
    stage.server.apiAnswer = () => ({ status: 200, headers: { "x-token": makeJwt({ sub: "ada", iat: now, exp: now + 7_200 }) } });
    stage.server.faults.push(throttled(300));
    await stage.outcome(app.session.refresh());
    await stage.call(app);
    await stage.clock.advance(2 * SECOND);
    expect(app.count("refreshed")).toBe(1);
    expect([await stage.outcome(app.session.refresh()), stage.server.stats.attempts]).toEqual(["throttled", 1]);
  });

  it("R64 the deadline that was before it, and an attempt that fails after it", async () => {
    const stage = scene({ session: { reuseGrace: MINUTE } });
    let calls = 0;
    const refresh = () => {
      calls += 1;
      if (calls > 1) return new Promise<never>(() => {});
      const later = new SessionError("throttled", "later", { retryAfter: 600 * SECOND });
      return new Promise<never>((_, reject) => app.tab.environment.setTimeout(() => reject(later), 12 * SECOND));
    };
    const app: App = await stage.signedIn({ name: "late", refresh });
    expect(await stage.outcome(app.session.refresh())).toBe("timeout");
    // The second attempt was sent before the first one's answer came.
    await stage.clock.advance(30 * SECOND);
    expect([calls, await stage.outcome(app.session.refresh())]).toEqual([2, "timeout"]);
    await stage.clock.advance(500 * SECOND);
    expect(calls).toBe(2);
  });

  it("R64 while an audience's pause lasts, no tab's scheduler looks again and again", async () => {
    const billing = "https://billing.example.test";
    const stage = scene({ session: { audiences: audiences({ [billing]: {} }), lead: 30 * MINUTE } });
    const app = await stage.signedIn();
    for (let tab = 0; tab < 5; tab += 1) await stage.open();
    await stage.clock.advance(25 * MINUTE);
    stage.server.faults.push(throttled(1_800));
    await stage.outcome(app.session.getToken({ audience: billing }));
    const before = stage.world.stores.transactions;
    await stage.clock.advance(29 * MINUTE);
    expect(stage.world.stores.transactions - before).toBeLessThan(50);
    expect(stage.server.stats.attempts).toBe(1);
    await stage.clock.advance(3 * MINUTE);
    expect(stage.server.stats.attempts).toBe(2);
  });
});
