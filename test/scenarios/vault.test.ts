import { describe, expect, it } from "vitest";
import { audiences, dpop, memory, oauth2, vault } from "../../src/index.js";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { hangs, hangsAfterRotating, lostAnswer, slow } from "../../src/testing/faults.js";
import { REVOCATION_ENDPOINT, TOKEN_ENDPOINT } from "../../src/testing/token-server.js";
import type { SessionOptions } from "../../src/types/index.js";
import type { App } from "../support/app.js";
import { HOUR, MINUTE, type Scene, type SceneOptions, SECOND, scene, vaultIn } from "../support/scene.js";
import { expectNoSecret } from "../support/secrets.js";
import { serials } from "../support/tabs.js";

const CLIENT = { tokenEndpoint: TOKEN_ENDPOINT, clientId: "spa" };
const further = { revocationEndpoint: REVOCATION_ENDPOINT };
const plain = () => oauth2({ ...CLIENT, ...further });
const stored = ({ world }: Scene) => world.stores.read(world.stores.names()[0]!) as LedgerRecord;

/** Sets a scene whose tabs keep their refresh tokens in one worker. */
function vaultScene(options: SceneOptions = {}) {
  const stage = scene(options);
  const open = async (session: Partial<SessionOptions> = {}, tab = stage.world.tab()): Promise<App> =>
    stage.open({ refresh: vaultIn(stage.world, tab, further), ...session }, { tab });
  const signedIn = async (session: Partial<SessionOptions> = {}): Promise<App> => {
    const app = await open(session);
    await stage.clock.until(app.session.signIn(stage.server.signIn()));
    await stage.clock.advance(50);
    return app;
  };
  return { stage, open, signedIn };
}

describe("a refresh token in a worker", () => {
  it("R101 is in no record, message or answer, through renewals, a second tab and a sign-out, of which the server hears", async () => {
    const { stage, open, signedIn } = vaultScene();
    const app = await signedIn();
    const other = await open();
    const records = [stored(stage)];
    for (let round = 0; round < 3; round++) {
      await stage.clock.until(other.session.refresh());
      await stage.clock.advance(SECOND);
      records.push(stored(stage));
    }
    expect(serials(stage, [app, other])).toEqual([4, 4]);
    expect(stage.server.stats).toMatchObject({ refreshes: 3, reused: 0 });
    expect(new Set(records.map(({ tokens }) => tokens?.refreshToken)).size).toBe(4);
    const { refreshSecrets } = stage.server.grants;
    expectNoSecret(refreshSecrets, records, "a record");
    const [taken, ...others] = stage.world.workers.posted;
    expect(taken).toMatchObject({ kind: "take" });
    expectNoSecret(refreshSecrets, others, "a message");
    await stage.clock.until(app.session.signOut());
    await stage.clock.advance(SECOND);
    expect([other.status(), stage.server.stats.revocations]).toEqual(["signed-out: user", 1]);
  });

  it.each(["close", "crash", "freeze", "enterCache"] as const)(
    "R102 is presented once when the tab that asked does this: %s",
    async (end) => {
      const { stage, open, signedIn } = vaultScene();
      const app = await signedIn();
      const other = await open();
      await stage.clock.sleep(2 * HOUR);
      stage.server.faults.push(slow(5 * SECOND));
      app.tab.signal("wake");
      await stage.clock.advance(200);
      app.tab[end]();
      other.tab.signal("wake");
      await stage.clock.advance(MINUTE);
      expect([other.status(), stage.serial(other)]).toEqual(["signed-in", 2]);
      expect(stage.server.stats).toMatchObject({ attempts: 1, refreshes: 1, reused: 0 });
    },
  );

  it("brings an answer that came after the deadline, with one request", async () => {
    const { stage, signedIn } = vaultScene();
    const app = await signedIn();
    await stage.clock.sleep(2 * HOUR);
    stage.server.faults.push(slow(20 * SECOND));
    expect(await stage.outcome(app.session.getToken())).toBe("timeout");
    await stage.clock.advance(15 * SECOND);
    expect([stage.serial(app), stage.server.stats.attempts]).toEqual([2, 1]);
  });

  it("is presented again after an answer that was lost, and the refusal says so", async () => {
    const { stage, signedIn } = vaultScene();
    const app = await signedIn();
    await stage.clock.sleep(2 * HOUR);
    stage.server.faults.push(lostAnswer);
    expect(await stage.outcome(app.session.getToken())).toBe("network");
    await stage.clock.advance(5 * SECOND);
    expect(stage.server.stats).toMatchObject({ attempts: 2, reused: 1 });
    expect(app.payloads("signed-out")).toMatchObject([{ reason: "rejected", possiblyLostRotation: true }]);
  });

  it.each([
    ["never has the request", hangs],
    ["rotates, and its answer hangs", hangsAfterRotating],
  ])("waits for a server that %s as long as `oauth2` does", async (_, fault) => {
    const sent: number[][] = [];
    for (const refresh of ["vault", "oauth2"]) {
      const { stage, signedIn } = vaultScene();
      const app = await signedIn(refresh === "vault" ? {} : { refresh: plain() });
      await stage.clock.sleep(2 * HOUR);
      stage.server.faults.push(fault);
      const begun = stage.clock.now();
      await stage.outcome(app.session.getToken());
      await stage.clock.advance(MINUTE);
      sent.push(stage.server.tokenCalls.map(({ at }) => Math.round((at - begun) / (5 * SECOND))));
    }
    expect(sent[0]).toEqual(sent[1]);
    expect(sent[0]).toHaveLength(2);
  });
});

describe("a worker that ends", () => {
  it("R103 with the last tab leaves the next page its access token, then `credential-lost`: first in the event of a failure, and then as the reason", async () => {
    const { stage, open, signedIn } = vaultScene();
    (await signedIn()).tab.close();
    const next = await open();
    await stage.clock.advance(SECOND);
    expect([next.status(), await stage.call(next), next.session.getSnapshot().degraded]).toEqual(["signed-in", 200, true]);
    expect(next.payloads("refresh-failed")).toMatchObject([{ error: { code: "credential-lost", lost: false }, retryAt: null }]);
    const late = await open();
    await stage.clock.advance(HOUR);
    for (const app of [next, late])
      expect(app.payloads("signed-out")).toMatchObject([{ reason: "credential-lost", possiblyLostRotation: false }]);
    expect([stage.server.stats.attempts, next.tab.reports]).toEqual([0, []]);
    await stage.clock.until(next.session.signIn(stage.server.signIn()));
    await stage.clock.advance(HOUR);
    expect(serials(stage, [next, late])).toEqual([3, 3]);
  });

  it("is asked about a session; if another one has begun by the time of the answer, the tab does not renew that", async () => {
    const { stage, open, signedIn } = vaultScene({ world: { delays: { message: ({ name }) => (name === "tab 2" ? 200 : 1) } } });
    const app = await signedIn();
    const other = await open();
    await stage.clock.advance(50);
    await stage.clock.until(app.session.signOut());
    await stage.clock.until(app.session.signIn(stage.server.signIn()));
    await stage.clock.advance(SECOND);
    expect(stage.world.workers.posted).toContainEqual(expect.objectContaining({ answer: { holds: false } }));
    expect([serials(stage, [app, other]), stage.server.stats.attempts]).toEqual([[2, 2], 0]);
  });

  it("R103 while its tabs live ends the session in all tabs when the token expires, and not before", async () => {
    const { stage, open, signedIn } = vaultScene();
    const app = await signedIn();
    const other = await open();
    stage.world.workers.crash();
    await stage.clock.advance(50 * MINUTE);
    expect([app.status(), other.status()]).toEqual(["signed-in", "signed-in"]);
    await stage.clock.advance(HOUR);
    expect([app.status(), other.status()]).toEqual(Array(2).fill("signed-out: credential-lost"));
  });

  it("in the middle of a request leaves nobody waiting, and the next attempt says so", async () => {
    const { stage, signedIn } = vaultScene();
    const app = await signedIn();
    await stage.clock.sleep(2 * HOUR);
    stage.server.faults.push(slow(5 * SECOND));
    const asked = app.session.getToken();
    await stage.clock.advance(SECOND);
    stage.world.workers.crash();
    expect(await stage.outcome(asked)).toBe("timeout");
    await stage.clock.advance(2 * MINUTE);
    expect(app.status()).toBe("signed-out: credential-lost");
  });
});

describe("a stored session of `oauth2`", () => {
  it("R104 is taken over as the app opens, by one of two tabs; a tab of the old app presents no handle, and serves its token", async () => {
    const { stage, open } = vaultScene();
    const old = await stage.signedIn({ refresh: plain() });
    const before = stored(stage);
    const apps = [await open(), await open()];
    await stage.clock.advance(SECOND);
    const after = stored(stage);
    expect(after.tokens?.refreshToken).toMatch(/^tokentide-handle:/);
    expect({ ...after, format: 1, tokens: 0 }).toEqual({ ...before, tokens: 0 });
    expectNoSecret(stage.server.grants.refreshSecrets, after, "the record");
    await stage.clock.advance(100 * MINUTE);
    expect(serials(stage, [...apps, old])).toEqual([3, 3, 3]);
    expect(stage.server.stats).toMatchObject({ refreshes: 2, rejected: 0 });
    expect([old.status(), await stage.outcome(old.session.refresh())]).toEqual(["signed-in", "newer-release"]);
  });

  it("is taken over by the next renewal, where a tab of the old app is renewing as the app opens", async () => {
    const { stage, open } = vaultScene();
    const old = await stage.signedIn({ refresh: plain() });
    stage.server.faults.push(slow(5 * SECOND));
    void old.session.refresh();
    await stage.clock.advance(SECOND);
    const app = await open();
    await stage.clock.advance(10 * SECOND);
    expect([app.status(), stage.serial(app), stage.serial(old)]).toEqual(["signed-in", 2, 2]);
    expect(stored(stage).tokens?.refreshToken).toMatch(/^tokentide-handle:/);
    expect(stage.server.stats).toMatchObject({ refreshes: 1, rejected: 0, reused: 0 });
    void old.session.signIn(stage.server.signIn());
    await stage.clock.advance(2 * HOUR);
    expect(stored(stage).tokens?.refreshToken).toMatch(/^tokentide-handle:/);
    expect(stage.server.stats).toMatchObject({ rejected: 0, reused: 0 });
  });

  it("whose app takes the release back: no handle is sent, the tab is signed out when the token expires, and can sign in", async () => {
    const { stage, signedIn } = vaultScene();
    (await signedIn()).tab.close();
    const back = await stage.open({ refresh: plain() });
    expect([back.status(), await stage.call(back)]).toEqual(["signed-in", 200]);
    await stage.clock.sleep(2 * HOUR);
    await stage.outcome(back.session.getToken());
    expect([back.status(), stage.server.stats.attempts]).toEqual(["signed-out: owner-closed", 0]);
    await stage.clock.until(back.session.signIn(stage.server.signIn()));
    await stage.clock.advance(HOUR);
    expect([back.status(), stage.serial(back)]).toEqual(["signed-in", 3]);
  });
});

describe("`vault` with the rest of the session", () => {
  it("renews for audiences, with the parameters that a page may choose", async () => {
    const { stage, open } = vaultScene();
    const app = await open({ audiences: audiences({ "https://other.example.test": {} }) });
    await stage.clock.until(app.session.signIn(stage.server.signIn()));
    expect(await stage.clock.until(app.session.getToken({ audience: "https://other.example.test" }))).toEqual(expect.any(String));
    expect(stage.server.stats).toMatchObject({ refreshes: 1, rejected: 0 });
  });

  it("has a worker for each tab where the browser has no SharedWorker: memory mode, whatever `persist` says", async () => {
    const { stage } = vaultScene({ shares: true });
    const open = (persist: SessionOptions["persist"] = "indexeddb") => {
      const tab = stage.world.tab();
      const worker = stage.world.workers.connectAlone(tab, CLIENT);
      return stage.open({ refresh: vault({ ...CLIENT, worker, shared: false }), persist }, { tab });
    };
    const owner = await open();
    await stage.clock.until(owner.session.signIn(stage.server.signIn()));
    const sibling = await open(memory());
    await stage.clock.advance(10 * MINUTE);
    expect([await stage.clock.until(owner.session.refresh()), await stage.clock.until(sibling.session.refresh())]).toEqual([
      "refreshed",
      "adopted",
    ]);
    await stage.clock.advance(SECOND);
    expect(stage.serial(owner)).toBe(stage.serial(sibling));
    expect(JSON.stringify(stored(stage))).not.toContain("tokentide-handle");
    owner.tab.close();
    await stage.clock.advance(2 * HOUR);
    expect(sibling.status()).toBe("signed-out: owner-closed");
  });

  it("starts no worker in a prerendered page before the user opens it", async () => {
    const { stage } = vaultScene();
    const tab = stage.world.tab();
    tab.prerendering = true;
    stage.start({ refresh: vaultIn(stage.world, tab) }, { tab });
    await stage.clock.advance(10 * SECOND);
    expect(stage.world.workers.count).toBe(0);
    tab.activate();
    await stage.clock.advance(SECOND);
    expect(stage.world.workers.count).toBe(1);
  });

  it("signs nobody in after a sign-out that came while the worker took the token, and revokes that", async () => {
    const { stage, open } = vaultScene();
    const app = await open();
    const signingIn = app.session.signIn(stage.server.signIn());
    await stage.clock.until(app.session.signOut());
    await stage.clock.until(signingIn);
    await stage.clock.advance(SECOND);
    expect([app.status(), stage.server.stats.revocations]).toEqual(["signed-out", 1]);
  });

  it("needs no `dpop`, which has keys in the page: a TypeError says so", async () => {
    const { stage } = vaultScene();
    const tab = stage.world.tab();
    expect(() => stage.start({ refresh: vaultIn(stage.world, tab), dpop: dpop() }, { tab })).toThrow(/dpop: refresh must be/);
  });
});
