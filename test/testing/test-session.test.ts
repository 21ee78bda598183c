import { describe, expect, it, onTestFinished } from "vitest";
import { memory } from "../../src/session/memory.js";
import { START } from "../../src/testing/clock.js";
import { down, hangs } from "../../src/testing/faults.js";
import { createTestSession, type TestSession, type TestSessionOptions } from "../../src/testing/test-session.js";
import type { SessionEvents } from "../../src/types/index.js";
import { expectNoSecret } from "../support/secrets.js";

async function create(options: TestSessionOptions = {}): Promise<TestSession> {
  const test = await createTestSession(options);
  onTestFinished(() => test.dispose());
  return test;
}

function heard<E extends keyof SessionEvents>({ session }: Pick<TestSession, "session">, event: E): SessionEvents[E][] {
  const payloads: SessionEvents[E][] = [];
  session.on(event, (payload) => payloads.push(payload));
  return payloads;
}

describe("createTestSession", () => {
  it("is signed in, with the claims that were asked for, and its calls get in; no time passes", async () => {
    const { session, clock, server } = await create({ claims: { sub: "grace", role: "admin" } });
    expect(session.getSnapshot()).toMatchObject({ status: "signed-in", claims: { sub: "grace", role: "admin" }, degraded: false });
    const response = await session.fetch("/me", { method: "POST", body: "hello" });
    expect([response.status, await response.json()]).toEqual([200, { subject: "grace", serial: 1 }]);
    expect([server.apiCalls[0]?.url, clock.now()]).toEqual(["https://app.example.test/me", START]);
  });

  it("is signed out when asked to, until somebody signs in", async () => {
    const { session, signIn, server } = await create({ state: "signed-out" });
    expect(session.getSnapshot().status).toBe("signed-out");
    expect((await session.fetch("/me")).status).toBe(401);
    await signIn({ name: "Ada" });
    expect(session.getSnapshot()).toMatchObject({ status: "signed-in", claims: { sub: "ada", name: "Ada" } });
    expect((await session.fetch("/me")).status).toBe(200);
    expect(server.stats.attempts).toBe(0);
  });

  it("restores for as long as wanted, and is then signed in without a refresh", async () => {
    const { session, restore, server } = await create({ state: "restoring", claims: { sub: "grace" } });
    expect(session.getSnapshot().status).toBe("restoring");
    await restore();
    expect(session.getSnapshot()).toMatchObject({ status: "signed-in", claims: { sub: "grace" } });
    expect(server.stats.attempts).toBe(0);
  });

  it("is about to expire: a second later it renews ahead of the expiry", async () => {
    const test = await create();
    const refreshed = heard(test, "refreshed");
    await test.aboutToExpire();
    expect([refreshed.length, test.session.getSnapshot().refreshDueAt! - test.clock.now()]).toEqual([0, 1_000]);
    await test.clock.advance(1_000);
    expect(refreshed).toMatchObject([{ adopted: false }]);
  });

  it("expires while the device sleeps: the next call waits for one refresh", async () => {
    const { session, expire, server } = await create({ server: { accessSeconds: 300 } });
    await expire();
    expect([session.peekToken(), session.getSnapshot().status]).toEqual([null, "signed-in"]);
    const calls = await Promise.all([session.fetch("/a"), session.fetch("/b")]);
    expect(calls.map(({ status }) => status)).toEqual([200, 200]);
    expect(server.stats.refreshes).toBe(1);
  });

  it("is rejected on command", async () => {
    const test = await create();
    const out = heard(test, "signed-out");
    await test.reject();
    expect(out).toMatchObject([{ reason: "rejected", possiblyLostRotation: false, error: { code: "rejected" } }]);
    expect(test.session.getSnapshot()).toMatchObject({ status: "signed-out", reason: "rejected" });
  });

  it("goes offline and comes back: the session stays, and what failed is made up for", async () => {
    const test = await create();
    const [failed, refreshed] = [heard(test, "refresh-failed"), heard(test, "refreshed")];
    test.goOffline();
    await expect(test.session.fetch("/me")).rejects.toThrow("Failed to fetch");
    await test.aboutToExpire();
    await test.clock.advance(2_000);
    expect(failed).toMatchObject([{ error: { code: "network" } }]);
    expect(test.session.getSnapshot()).toMatchObject({ status: "signed-in", degraded: true });
    await test.goOnline();
    expect([refreshed.length, test.session.getSnapshot().degraded]).toEqual([1, false]);
  });

  it("has several tabs in one process: one refreshes, a sign-out in one is one in all", async () => {
    const test = await create();
    const other = await test.openTab();
    expect(other.session.getSnapshot()).toMatchObject({ status: "signed-in", claims: { sub: "ada" } });
    const [here, there] = [heard(test, "refreshed"), heard(other, "refreshed")];
    await Promise.all([test.session.refresh(), other.session.refresh()]);
    await test.clock.advance(0);
    expect([test.server.stats.refreshes, here.length, there.length]).toEqual([1, 1, 1]);
    await other.session.signOut();
    await test.clock.advance(0);
    expect(test.session.getSnapshot()).toMatchObject({ status: "signed-out", reason: "user" });
  });

  it("tells when another user signs in", async () => {
    const test = await create();
    const changed = heard(test, "user-changed");
    await test.signIn({ sub: "bob" });
    expect(changed).toMatchObject([{ before: { sub: "ada" }, after: { sub: "bob" } }]);
  });

  it("hears of claims that the server recalculated", async () => {
    const test = await create({ claims: { role: "reader" } });
    const changed = heard(test, "claims-changed");
    test.server.grants.options.claims = { role: "admin" };
    await test.session.refresh();
    expect(changed).toMatchObject([{ before: { role: "reader" }, after: { role: "admin" } }]);
  });

  it("lets an API of one's own answer, behind the bearer, whatever it sends", async () => {
    const bytes = new Uint8Array([0, 255, 128]);
    const { session, server } = await create({
      allowedOrigins: ["https://api.example.com"],
      api: async (request) => (request.method === "PUT" ? new Response(await request.text(), { status: 201 }) : new Response(bytes)),
    });
    const url = "https://api.example.com/notes";
    const put = await session.fetch(url, { method: "PUT", body: "a note" });
    expect([put.status, await put.text()]).toEqual([201, "a note"]);
    expect(new Uint8Array(await (await session.fetch(url)).arrayBuffer())).toEqual(bytes);
    server.grants.expireAccessTokens();
    expect((await session.fetch(url, { method: "PUT", body: "again" })).status).toBe(201);
    expect([server.stats.refreshes, server.stats.apiUnauthorized]).toEqual([1, 1]);
    server.api = () => Response.error();
    await expect(session.fetch(url)).rejects.toThrow(TypeError);
  });

  it("plays the faults that are put into the server", async () => {
    const test = await create();
    test.server.faults.push(down(), hangs);
    await expect(test.session.refresh()).rejects.toMatchObject({ code: "server", status: 503 });
    const slow = test.session.refresh();
    slow.catch(() => {});
    await test.clock.advance(10_000);
    await expect(slow).rejects.toMatchObject({ code: "timeout" });
  });

  it("says that there is nothing to expire", async () => {
    const { aboutToExpire, expire } = await create({ state: "signed-out" });
    await expect(aboutToExpire()).rejects.toThrow("the session is signed-out, and has no token that could expire");
    await expect(expire()).rejects.toThrow("signed-out");
  });

  it("begins when it is told to, with options as the app has them", async () => {
    const now = Date.UTC(2026, 4, 1);
    const { session, clock } = await create({ now, persist: memory(), lead: 60_000, jitter: 0 });
    const { expiresAt, refreshDueAt } = session.getSnapshot();
    expect([clock.now(), expiresAt! - now, expiresAt! - refreshDueAt!]).toEqual([now, 3_600_000, 60_000]);
  });

  it("R57 opens a tab that the browser prerenders, until the user opens it", async () => {
    const test = await create();
    const { session, tab } = await test.openTab({ prerendering: true });
    test.tab.freeze();
    await test.expire();
    const waiting = session.getToken();
    await test.clock.advance(60_000);
    expect([session.getSnapshot().status, test.server.stats.attempts]).toEqual(["signed-in", 0]);
    tab.activate();
    expect([await test.clock.until(waiting), test.server.stats.attempts]).toEqual([expect.any(String), 1]);
  });

  it("leaves nothing behind in any tab, and shows no token", async () => {
    const test = await createTestSession();
    const { tab } = await test.openTab();
    await test.session.refresh();
    expectNoSecret(
      test.server.grants.secrets,
      [test.session.getSnapshot(), test.server.apiCalls, test.server.tokenCalls],
      "a test session",
    );
    test.dispose();
    await test.clock.advance(60_000);
    const nothing = { timers: 0, listeners: 0, channels: 0, connections: 0, locks: 0 };
    expect([test.world.leftovers(test.tab), test.world.leftovers(tab)]).toEqual([nothing, nothing]);
  });
});
