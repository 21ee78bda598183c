import { describe, expect, it } from "vitest";
import { cookie } from "../../src/index.js";
import { type Answer, json } from "../../src/testing/reply.js";
import { API } from "../../src/testing/token-server.js";
import type { SessionOptions } from "../../src/types/index.js";
import { HOUR, kept, type Scene, SECOND, scene } from "../support/scene.js";

/** A jar that all tabs share: the server knows which refresh cookie it gave last. What it answers is up to the test. */
function backEnd(stage: Scene, subject: string | null) {
  const jar = { subject, renewals: 0, signOuts: 0, instead: undefined as Answer | "lost" | undefined, concurrent: 0, inFlight: 0 };
  stage.server.apiAnswer = ({ url }) => {
    if (url.endsWith("/logout")) {
      jar.signOuts += 1;
      jar.subject = null;
      return json(200, {});
    }
    if (!url.endsWith("/renew")) return undefined;
    jar.renewals += 1;
    if (jar.instead) return jar.instead;
    return jar.subject ? json(200, { accessToken: stage.server.signIn(jar.subject).access_token }) : json(401, {});
  };
  return jar;
}

const options: Partial<SessionOptions> = { refresh: cookie({ url: `${API}/renew`, signOutUrl: `${API}/logout` }) };

describe("signIn() without tokens", () => {
  it("R42 is the only thing that asks: a visitor who never signed in causes no call", async () => {
    const stage = scene();
    const jar = backEnd(stage, "ada");
    const app = await stage.open(options);
    await stage.clock.advance(HOUR);
    expect([await stage.clock.until(app.session.getToken()), await stage.call(app), jar.renewals]).toEqual([null, 401, 0]);
    expect(await stage.outcome(app.session.refresh())).toBe("signed-out");
    expect([jar.renewals, app.events()]).toEqual([0, []]);
  });

  it("renews once, and begins a session in every tab", async () => {
    const stage = scene();
    const jar = backEnd(stage, "ada");
    const other = await stage.open(options);
    const app = await stage.open(options);
    await stage.clock.until(app.session.signIn());
    await stage.clock.advance(50);
    expect([app.status(), other.status(), jar.renewals]).toEqual(["signed-in", "signed-in", 1]);
    expect([app.events(), other.events()]).toEqual([["signed-in"], ["signed-in"]]);
    expect(await stage.call(other)).toBe(200);
    await stage.clock.advance(HOUR);
    expect(jar.renewals).toBeGreaterThan(1);
  });

  it("in several tabs at once is one request", async () => {
    const stage = scene();
    const jar = backEnd(stage, "ada");
    const apps = [await stage.open(options), await stage.open(options), await stage.open(options)];
    await stage.clock.until(Promise.all(apps.flatMap(({ session }) => [session.signIn(), session.signIn()])));
    expect([jar.renewals, ...apps.map((app) => app.status())]).toEqual([1, "signed-in", "signed-in", "signed-in"]);
  });

  it.each([
    ["rejected", json(401, {})],
    ["rejected", json(200, null)],
    ["network", "lost"],
    ["server", json(503, {})],
  ] as const)("that is answered %s begins nothing, says so, and is not repeated by itself", async (code, instead) => {
    const stage = scene();
    const jar = backEnd(stage, "ada");
    jar.instead = instead;
    const app = await stage.open(options);
    expect(await stage.outcome(app.session.signIn(), 30_000)).toBe(code);
    await stage.clock.advance(HOUR);
    expect([jar.renewals, app.status(), app.events()]).toEqual([1, "signed-out", []]);
    jar.instead = undefined;
    await stage.clock.until(app.session.signIn());
    expect(app.status()).toBe("signed-in");
  });

  it("as somebody else, over a session that stands: the tabs go over to the new user", async () => {
    const stage = scene();
    const jar = backEnd(stage, "ada");
    const other = await stage.open(options);
    const app = await stage.open(options);
    await stage.clock.until(other.session.signIn());
    jar.subject = "bob";
    await stage.clock.until(app.session.signIn());
    await stage.clock.advance(50);
    expect([app.status(), other.status(), other.count("user-changed"), other.bare.getSnapshot().claims?.sub]).toEqual([
      "signed-in",
      "signed-in",
      1,
      "bob",
    ]);
  });

  it("R25 signing out during it calls it off", async () => {
    const stage = scene();
    const jar = backEnd(stage, "ada");
    stage.server.apiLatency = () => 2 * SECOND;
    const app = await stage.open(options);
    const other = await stage.open(options);
    const outcome = app.session.signIn().catch(({ code }: { code: string }) => code);
    await stage.clock.advance(SECOND);
    await stage.clock.until(other.session.signOut());
    await stage.clock.advance(50);
    expect(await outcome).toBe("signed-out");
    await stage.clock.advance(10 * SECOND);
    // The late answer left a cookie behind, so the server is told.
    expect([app.status(), other.status(), jar.renewals, jar.signOuts]).toEqual(["signed-out", "signed-out", 1, 1]);
  });

  it("R43 a sign-out is told to the server once, by the tab that was asked", async () => {
    for (const persist of ["indexeddb", "memory"] as const) {
      const stage = scene({ session: { persist: kept(persist) }, shares: true });
      const jar = backEnd(stage, "ada");
      const app = await stage.open(options);
      const other = await stage.open(options);
      await stage.clock.until(app.session.signIn());
      await stage.clock.until(other.session.signOut());
      await stage.clock.advance(SECOND);
      expect([persist, jar.signOuts, app.status()]).toEqual([persist, 1, "signed-out: user"]);
    }
  });

  it("is refused where a refresh token is needed", async () => {
    const stage = scene();
    const app = await stage.open();
    expect(await stage.outcome(app.session.signIn())).toBeInstanceOf(TypeError);
  });
});

describe("a login while another tab refreshes, which presents the new cookie then", () => {
  async function loginDuringRefresh() {
    const stage = scene({ world: { delays: { network: () => 500 } } });
    const jar = backEnd(stage, "ada");
    const [holder, app, third] = [await stage.open(options), await stage.open(options), await stage.open(options)];
    await stage.clock.until(holder.session.signIn());
    await stage.clock.advance(5 * SECOND);
    void holder.session.refresh();
    await stage.clock.advance(100);
    jar.subject = "grace";
    await stage.clock.until(app.session.signIn({ accessToken: stage.server.signIn("grace").access_token }));
    return { stage, jar, apps: [holder, app, third] as const };
  }

  it("R1 no other tab presents it, too, before that one has its answer (simulation, seed 26147)", async () => {
    const { stage, jar, apps } = await loginDuringRefresh();
    const before = jar.renewals;
    await stage.clock.advance(10);
    const refreshed = apps[2].session.refresh();
    await stage.clock.advance(800);
    expect(jar.renewals - before).toBe(1);
    expect(await stage.outcome(refreshed)).toBe("refreshed");
    expect(jar.renewals - before).toBe(2);
    for (const { bare } of apps) expect(bare.getSnapshot().claims).toMatchObject({ sub: "grace" });
  });

  it("R38 what that one got is dropped without ending the new session at the server", async () => {
    const { stage, jar, apps } = await loginDuringRefresh();
    await stage.clock.advance(5 * SECOND);
    expect([jar.signOuts, ...apps.map((app) => app.status())]).toEqual([0, "signed-in", "signed-in", "signed-in"]);
  });
});
