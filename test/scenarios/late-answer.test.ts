import { describe, expect, it } from "vitest";
import { audiences, cookie, sliding } from "../../src/index.js";
import { memory } from "../../src/session/memory.js";
import { answers, down, type Fault, hangs, unreachable } from "../../src/testing/faults.js";
import { json } from "../../src/testing/reply.js";
import { API } from "../../src/testing/token-server.js";
import type { Lacks } from "../../src/testing/world.js";
import type { RefreshStrategy } from "../../src/types/index.js";
import type { App } from "../support/app.js";
import { HOUR, revokingStrategy, type Scene, type SceneOptions, SECOND, scene } from "../support/scene.js";
import { KINDS, serials, tabs } from "../support/tabs.js";

const BILLING = "https://billing.example.test";
const FILES = "https://files.example.test";

/** The server carries the next refresh out at once, and is slow to say so. */
function answersAfter(stage: Scene, seconds: number): void {
  let requests = 0;
  stage.server.latency = { before: () => 0, after: () => (requests++ === 0 ? seconds * SECOND : 0) };
}

const later = (seconds: number, fault: Fault): Fault => ({ ...fault, waits: seconds * SECOND });

interface Asked extends SceneOptions {
  lacks?: Lacks;
  /** Overrides the slow answer. */
  fault?: Fault;
}

/** Two tabs, whose token has expired, ask for the next one. The server takes so many seconds to answer the first tab. */
async function asked(seconds: number, { lacks = {}, fault, ...options }: Asked = {}) {
  const stage = scene(options);
  const apps = await tabs(stage, 2, lacks);
  await stage.clock.sleep(2 * HOUR);
  if (fault) stage.server.faults.push(fault);
  else answersAfter(stage, seconds);
  const [holder, other] = apps as [App, App];
  const start = stage.clock.monotonic();
  const settled = Promise.all(apps.map(({ session }) => session.getToken().catch(({ code }: { code: string }) => code)));
  const calls = () => stage.clock.until(settled);
  const until = (second: number) => stage.clock.advance(start + second * SECOND - stage.clock.monotonic());
  return { stage, apps, holder, other, calls, start, until };
}

/** How many milliseconds a call takes, and what comes of it. */
async function timed(stage: Scene, call: () => Promise<unknown>) {
  const start = stage.clock.monotonic();
  const outcome = await stage.outcome(call(), 30_000);
  return { outcome, took: stage.clock.monotonic() - start };
}

const status = (app: App) => app.session.fetch(`${API}/me`).then((response) => response.status);
const oneRequest = { attempts: 1, refreshes: 1, reused: 0 };
const pauseAfterTheFirst = ({ server: { tokenCalls } }: Scene) => (tokenCalls[1]?.at ?? 0) - (tokenCalls[0]?.at ?? 0);

describe("an answer after the deadline, on a strict server", () => {
  describe.each(Object.entries(KINDS))("with %s", (_, lacks) => {
    it.each([9, 11, 15, 29])("R84 R22 after %d s: one request, and every tab is signed in with its token", async (seconds) => {
      const { stage, apps, calls, start } = await asked(seconds, { lacks });
      const outcomes = await calls();
      expect(stage.clock.monotonic() - start).toBeLessThan(11 * SECOND);
      if (seconds > 10) expect(outcomes).toEqual(["timeout", "timeout"]);
      await stage.clock.advance(30 * SECOND);
      expect([serials(stage, apps), stage.server.stats]).toMatchObject([[2, 2], oneRequest]);
      await stage.clock.advance(2 * HOUR);
      for (const app of apps) expect([app.status(), await stage.call(app)]).toEqual(["signed-in", 200]);
      expect(stage.server.stats.reused).toBe(0);
    });
  });

  it("R84 R23 after 31 s: the next attempt was sent already, and its refusal is reported as a possibly lost rotation", async () => {
    const { stage, apps, until } = await asked(31);
    await until(30.5);
    expect(stage.server.stats.attempts).toBe(1);
    await until(33);
    expect(stage.server.stats.attempts).toBe(2);
    expect(pauseAfterTheFirst(stage)).toBeGreaterThanOrEqual(30 * SECOND);
    for (const app of apps) expect(app.payloads("signed-out")).toMatchObject([{ reason: "rejected", possiblyLostRotation: true }]);
  });

  it("R84 until then, every call gets what there is at once, and causes no request", async () => {
    const { stage, apps, until } = await asked(29);
    for (const second of [11, 15, 20, 28]) {
      await until(second);
      for (const app of apps) {
        expect(await timed(stage, () => app.session.getToken())).toMatchObject({ outcome: "timeout", took: expect.toSatisfy(isShort) });
        expect(await timed(stage, () => status(app))).toMatchObject({ outcome: 401, took: expect.toSatisfy(isShort) });
      }
    }
    expect(stage.server.stats.attempts).toBe(1);
  });

  it("R84 `refresh-failed` says when the next attempt is due, which is after the request has ended", async () => {
    const { stage, holder, until } = await asked(0, { fault: hangs });
    await until(29);
    expect(holder.payloads("refresh-failed")).toMatchObject([{ error: { code: "timeout", lost: true }, attempt: 1 }]);
    const { retryAt } = holder.payloads("refresh-failed")[0] ?? {};
    await until(33);
    const sent = stage.server.tokenCalls[1]?.at ?? 0;
    expect(Math.abs(sent - (retryAt ?? 0))).toBeLessThan(100);
    expect(pauseAfterTheFirst(stage)).toBeGreaterThan(30 * SECOND);
    expect([holder.count("refresh-failed"), stage.serial(holder)]).toEqual([1, 2]);
  });

  it("R84 a call right after `takeoverAfter` is the next attempt", async () => {
    const { stage, other, until } = await asked(0, { fault: hangs });
    await until(29.9);
    expect(stage.server.stats.attempts).toBe(1);
    await until(30.1);
    expect(stage.server.grants.serialOf((await stage.outcome(other.session.getToken(), 500)) as string)).toBe(2);
  });

  it("R84 the app can set how long that is, up to a quarter of an hour", async () => {
    const short = await asked(0, { fault: hangs, session: { refreshTimeout: 2_000, takeoverAfter: 5_000 } });
    await short.until(8);
    expect([pauseAfterTheFirst(short.stage) / SECOND, short.stage.serial(short.other)]).toEqual([expect.closeTo(6, 0), 2]);
    const long = await asked(300, { session: { takeoverAfter: 900_000 } });
    await long.until(310);
    expect([serials(long.stage, long.apps), long.stage.server.stats]).toMatchObject([[2, 2], oneRequest]);
  });

  it("R84 session.refresh() meanwhile waits for the answer and adopts it", async () => {
    const { stage, holder, other, until } = await asked(20);
    await until(12);
    const outcomes = await stage.clock.until(Promise.all([holder, other].map(({ session }) => session.refresh())));
    expect([outcomes, stage.server.stats]).toMatchObject([["adopted", "adopted"], oneRequest]);
  });

  it("R84 the token of a scheduled refresh comes late, while the one before it is still valid", async () => {
    const stage = scene({ session: { lead: 600 * SECOND } });
    const apps = await tabs(stage, 2);
    answersAfter(stage, 25);
    await stage.clock.advance(HOUR - 600 * SECOND + 15 * SECOND);
    for (const app of apps) expect(await timed(stage, () => status(app))).toMatchObject({ outcome: 200, took: expect.toSatisfy(isShort) });
    await stage.clock.advance(15 * SECOND);
    expect([serials(stage, apps), stage.server.stats]).toMatchObject([[2, 2], oneRequest]);
  });
});

const isShort = (milliseconds: number) => milliseconds < 100;

describe("what a late answer says", () => {
  it("R84 R23 a network error frees the next attempt at once", async () => {
    const { stage, holder, other, until } = await asked(0, { fault: later(15, unreachable) });
    await until(17);
    expect(holder.payloads("refresh-failed").map(({ error, attempt }) => [error.code, attempt])).toEqual([
      ["timeout", 1],
      ["network", 1],
    ]);
    expect(stage.server.grants.serialOf((await stage.outcome(other.session.getToken(), 2 * SECOND)) as string)).toBe(2);
  });

  it("R84 R39 a 503 frees the next attempt, and does not count as a lost answer", async () => {
    const { stage, apps, other, until } = await asked(0, { fault: later(15, down()) });
    await until(17);
    stage.server.faults.push(answers(400, { error: "invalid_grant" }));
    await stage.outcome(other.session.getToken());
    await stage.clock.advance(SECOND);
    for (const app of apps) expect(app.payloads("signed-out")).toMatchObject([{ reason: "rejected", possiblyLostRotation: false }]);
    expect(stage.server.stats.attempts).toBe(2);
  });

  it("R84 R20 a refusal ends the session in every tab, and is no lost rotation", async () => {
    const { stage, apps, until } = await asked(0, { fault: later(15, answers(400, { error: "invalid_grant" })) });
    await until(14);
    for (const app of apps) expect(app.status()).toBe("signed-in");
    await until(16);
    for (const app of apps) expect(app.payloads("signed-out")).toMatchObject([{ reason: "rejected", possiblyLostRotation: false }]);
    expect(stage.server.stats.attempts).toBe(1);
  });

  it("R84 a request to wait holds from then on", async () => {
    const { stage, other, until } = await asked(0, { fault: later(15, answers(429, {}, { "retry-after": "60" })) });
    await until(40);
    expect([await stage.outcome(other.session.refresh()), stage.server.stats.attempts]).toEqual(["throttled", 1]);
  });
});

describe("who does not wait for a late answer", () => {
  const again = (stage: Scene) => pauseAfterTheFirst(stage) / SECOND;

  it("R84 R22 with a grace period of the server, the request is sent again soon after the deadline", async () => {
    const { stage, apps, until } = await asked(15, { server: { grace: HOUR }, session: { reuseGrace: HOUR } });
    await until(14);
    expect([again(stage), stage.server.stats.reused]).toEqual([expect.closeTo(11.5, 0), 0]);
    expect(serials(stage, apps)).toEqual([3, 3]);
  });

  it.each([
    [true, 11.5],
    [false, 31.5],
  ])("R84 with a strategy whose `repeatable` is %s, the next attempt is sent after some %d s", async (repeatable, seconds) => {
    const stage = scene();
    const sent: number[] = [];
    const refresh = () => {
      sent.push(stage.clock.monotonic() / SECOND);
      return new Promise<never>(() => {});
    };
    const app = await stage.signedIn({ refresh: { id: "own", needsRefreshToken: true, repeatable, refresh } });
    await stage.outcome(app.session.refresh());
    await stage.clock.advance(30 * SECOND);
    expect((sent[1] ?? 0) - (sent[0] ?? 0)).toBeCloseTo(seconds, 0);
  });

  it.each<[string, RefreshStrategy]>([
    ["a sliding token is exchanged", sliding({ url: `${API}/exchange`, accessTokenField: "token" })],
    [
      "a cookie that the server does not rotate is sent",
      { ...cookie({ url: `${API}/exchange`, accessTokenField: "token" }), repeatable: true },
    ],
  ])("R84 %s again soon after the deadline", async (_, refresh) => {
    const stage = scene();
    let exchanges = 0;
    stage.server.apiAnswer = ({ url }) => {
      if (!url.endsWith("/exchange")) return undefined;
      exchanges += 1;
      return exchanges === 1 ? "silence" : json(200, { token: stage.server.signIn().access_token });
    };
    const { access_token } = stage.server.signIn();
    const app = await stage.signedIn({ refresh }, { access_token });
    expect(await stage.outcome(app.session.refresh())).toBe("timeout");
    await stage.clock.advance(3 * SECOND);
    expect([exchanges, stage.serial(app)]).toEqual([2, 2]);
  });

  it("R84 a sign-in by a cookie ends at the deadline: its user has been told, and tries again", async () => {
    const stage = scene();
    let renewals = 0;
    stage.server.apiLatency = ({ url }) => (url.endsWith("/renew") && ++renewals === 1 ? 15 * SECOND : 0);
    stage.server.apiAnswer = ({ url }) =>
      url.endsWith("/renew") ? json(200, { accessToken: stage.server.signIn().access_token }) : undefined;
    const app = await stage.open({ refresh: cookie({ url: `${API}/renew` }) });
    expect(await stage.outcome(app.session.signIn())).toBe("timeout");
    await stage.clock.advance(10 * SECOND);
    expect([app.status(), app.events()]).toEqual(["signed-out", []]);
    await stage.clock.until(app.session.signIn());
    expect([app.status(), renewals]).toEqual(["signed-in", 2]);
  });
});

describe("a late answer in every mode", () => {
  it("R84 of an audience: the session and other audiences are free at once, and go on with the refresh token that it brings", async () => {
    const stage = scene({ session: { audiences: audiences({ [BILLING]: {}, [FILES]: {} }), lead: 300 * SECOND } });
    const apps = await tabs(stage, 2);
    answersAfter(stage, 20);
    const [holder, other] = apps as [App, App];
    const billing = (app: App) => app.session.getToken({ audience: BILLING });
    const files = (app: App) => app.session.getToken({ audience: FILES });
    expect(await stage.outcome(billing(holder))).toBe("timeout");
    for (const app of apps) {
      expect(await timed(stage, () => billing(app))).toMatchObject({ outcome: "timeout", took: expect.toSatisfy(isShort) });
      expect(await timed(stage, () => files(app))).toMatchObject({ outcome: "busy", took: expect.toSatisfy(isShort) });
    }
    await stage.clock.advance(12 * SECOND);
    expect(stage.server.grants.audienceOf((await stage.outcome(billing(other))) as string)).toBe(BILLING);
    expect(stage.server.stats).toMatchObject(oneRequest);
    expect(await stage.outcome(other.session.refresh())).toBe("refreshed");
    expect(stage.server.stats.reused).toBe(0);
  });

  it.each([
    ["in memory mode", { persist: memory() }, {}],
    ["without storage", {}, { store: true }],
    ["without storage and Web Locks", {}, { store: true, locks: true }],
  ])("R84 %s: the tab without a refresh token gets the late token, and stays signed in", async (_, session, lacks) => {
    const { stage, apps, holder, other, calls, until } = await asked(20, { session, lacks, shares: true });
    expect(await calls()).toEqual(["timeout", "timeout"]);
    expect(stage.holder()).toBe(holder);
    await until(19);
    expect([other.status(), await stage.outcome(other.session.getToken())]).toEqual(["signed-in", "timeout"]);
    await until(22);
    expect([serials(stage, apps), stage.server.stats]).toMatchObject([[2, 2], oneRequest]);
    await stage.clock.advance(2 * HOUR);
    expect([other.status(), stage.server.stats.reused]).toEqual(["signed-in", 0]);
  });

  it("R84 sign-out and another sign-in discard it, and revoke it", async () => {
    for (const next of ["signOut", "signIn"] as const) {
      const { stage, apps, other, until } = await asked(20, { session: { refresh: revokingStrategy() } });
      await until(12);
      await stage.clock.until(next === "signOut" ? other.session.signOut() : other.session.signIn(stage.server.signIn("bob")));
      await stage.clock.advance(SECOND);
      const { revocations } = stage.server.stats;
      await until(25);
      expect(stage.server.stats.revocations - revocations).toBe(1);
      expect(serials(stage, apps)).toEqual(next === "signOut" ? [null, null] : [3, 3]);
      if (next === "signIn") for (const app of apps) expect(await stage.call(app)).toBe(200);
    }
  });
});
