import { describe, expect, it } from "vitest";
import { oauth2, vault } from "../../src/index.js";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { answers, slow } from "../../src/testing/faults.js";
import { API, REVOCATION_ENDPOINT, TOKEN_ENDPOINT } from "../../src/testing/token-server.js";
import { HOUR, MINUTE, type Scene, SECOND, scene, vaultIn } from "../support/scene.js";

const CLIENT = { tokenEndpoint: TOKEN_ENDPOINT, clientId: "spa" };
const further = { revocationEndpoint: REVOCATION_ENDPOINT };
const plain = () => oauth2({ ...CLIENT, ...further });
const stored = ({ world }: Scene) => world.stores.read(world.stores.names()[0]!) as LedgerRecord;

describe("a login by code", () => {
  it("does not bring the user of before back, as when the user goes back to the page of its redirect", async () => {
    const stage = scene();
    const tab = stage.world.tab();
    const refresh = vaultIn(stage.world, tab, further);
    const app = await stage.open({ refresh }, { tab });
    const login = { code: "of-ada", codeVerifier: "v" };
    stage.server.faults.push(answers(200, stage.server.signIn("ada")));
    await stage.clock.until(app.session.signIn((await stage.clock.until(refresh.exchangeCode(login))) as never));
    await stage.clock.until(app.session.signOut());
    await stage.clock.advance(10 * SECOND);
    await stage.clock.until(app.session.signIn(stage.server.signIn("bob")));
    const attempts = stage.server.stats.attempts;
    expect(await stage.outcome(refresh.exchangeCode(login))).toBe("rejected");
    expect([app.session.getSnapshot().claims?.sub, stage.server.stats.attempts]).toEqual(["bob", attempts]);
  });

  it("that finishes in two tabs at once leaves both signed in, and revokes nothing", async () => {
    const stage = scene();
    const tabs = [stage.world.tab(), stage.world.tab()];
    const vaults = tabs.map((tab) => vaultIn(stage.world, tab, further));
    const apps = [
      await stage.open({ refresh: vaults[0]! }, { tab: tabs[0]! }),
      await stage.open({ refresh: vaults[1]! }, { tab: tabs[1]! }),
    ];
    stage.server.faults.push(answers(200, stage.server.signIn("ada")));
    const finish = async (index: number) =>
      apps[index]!.session.signIn((await vaults[index]!.exchangeCode({ code: "c", codeVerifier: "v" })) as never);
    await stage.clock.until(Promise.all([finish(0), finish(1)]));
    await stage.clock.advance(2 * HOUR);
    expect([apps.map((app) => app.status()), stage.server.stats.revocations]).toEqual([["signed-in", "signed-in"], 0]);
  });
});

describe("two sign-ins of one tab", () => {
  it.each(["oauth2", "vault"])("with %s are ordered as they were made, also when the first one waits for the worker", async (how) => {
    const stage = scene();
    const tab = stage.world.tab();
    const app = await stage.open({ refresh: how === "vault" ? vaultIn(stage.world, tab, further) : plain() }, { tab });
    const { refresh_token: _, ...second } = stage.server.signIn("bob") as unknown as Record<string, unknown>;
    await stage.clock.until(Promise.all([app.session.signIn(stage.server.signIn("ada")), app.session.signIn(second as never)]));
    await stage.clock.advance(SECOND);
    expect(app.session.getSnapshot().claims?.sub).toBe("bob");
  });
});

/** A vault whose worker does not load while `state.broken`. */
function flaky(stage: Scene, tab: ReturnType<Scene["world"]["tab"]>, state: { broken: boolean }) {
  const good = stage.world.workers.connect(tab, { ...CLIENT, ...further });
  const worker = () => {
    if (!state.broken) return good();
    const errors = new Set<() => void>();
    const port = { addEventListener() {}, removeEventListener() {}, start() {}, close() {}, postMessage() {} };
    tab.environment.setTimeout(() => [...errors].forEach((each) => void each()), 5);
    return {
      port,
      addEventListener: (_: string, listener: () => void) => errors.add(listener),
      removeEventListener: (_: string, listener: () => void) => errors.delete(listener),
    } as never;
  };
  return vault({ ...CLIENT, worker, shared: true });
}

describe("a session of `oauth2` whose takeover meets a worker that is not loaded at first", () => {
  it.each(["stays", "is reloaded"])("R104 goes on when the page %s", async (what) => {
    const stage = scene();
    (await stage.signedIn({ refresh: plain() })).tab.close();
    const state = { broken: true };
    let tab = stage.world.tab();
    let app = await stage.open({ refresh: flaky(stage, tab, state) }, { tab });
    await stage.clock.advance(58 * MINUTE);
    expect(app.payloads("refresh-failed").map(({ error }) => error.code)).toContain("network");
    state.broken = false;
    if (what === "is reloaded") {
      tab.close();
      tab = stage.world.tab();
      app = await stage.open({ refresh: flaky(stage, tab, state) }, { tab });
    }
    await stage.clock.advance(HOUR);
    expect(app.status()).toBe("signed-in");
    expect(stored(stage).tokens?.refreshToken).toMatch(/^tokentide-handle:/);
  });

  it("R101 is tried again with the next session", async () => {
    const stage = scene();
    const old = await stage.signedIn({ refresh: plain() });
    const state = { broken: true };
    const tab = stage.world.tab();
    await stage.open({ refresh: flaky(stage, tab, state) }, { tab });
    await stage.clock.advance(SECOND);
    state.broken = false;
    await stage.clock.until(old.session.signOut());
    await stage.clock.until(old.session.signIn(stage.server.signIn("other")));
    await stage.clock.advance(10 * SECOND);
    expect(stored(stage).tokens?.refreshToken).toMatch(/^tokentide-handle:/);
  });
});

describe("a worker that is gone", () => {
  const lost = async () => {
    const stage = scene();
    const tab = stage.world.tab();
    const app = await stage.open({ refresh: vaultIn(stage.world, tab, further), lead: MINUTE }, { tab });
    await stage.clock.until(app.session.signIn(stage.server.signIn()));
    await stage.clock.advance(10 * SECOND);
    stage.world.workers.crash();
    return { stage, app };
  };

  it("R103 leaves the session its access token, also when the app asks for a renewal", async () => {
    const { stage, app } = await lost();
    expect(await stage.outcome(app.session.refresh())).toBe("credential-lost");
    await stage.clock.advance(50 * MINUTE);
    expect([app.status(), app.payloads("refresh-failed").map(({ error }) => error.code)]).toEqual(["signed-in", ["credential-lost"]]);
    await stage.clock.advance(HOUR);
    expect(app.session.getSnapshot()).toMatchObject({ status: "signed-out", reason: "credential-lost" });
  });

  it("R103 ends the session at once when the API refuses the access token", async () => {
    const { stage, app } = await lost();
    stage.server.grants.expireAccessTokens();
    expect((await stage.clock.until(app.session.fetch(`${API}/me`))).status).toBe(401);
    expect(app.session.getSnapshot()).toMatchObject({ status: "signed-out", reason: "credential-lost" });
  });
});

describe("a session with a vault", () => {
  it("writes nothing after `dispose`", async () => {
    const stage = scene({ world: { delays: { message: () => 500 } } });
    (await stage.signedIn({ refresh: plain() })).tab.close();
    const tab = stage.world.tab();
    const app = await stage.open({ refresh: vaultIn(stage.world, tab, further) }, { tab });
    await stage.clock.advance(50);
    const before = JSON.stringify(stored(stage));
    app.bare.dispose();
    await stage.clock.advance(10 * SECOND);
    expect(JSON.stringify(stored(stage))).toBe(before);
  });

  it("R102 that shares it with another session waits as long as the longer one of them", async () => {
    const stage = scene();
    const tab = stage.world.tab();
    const refresh = vaultIn(stage.world, tab, further);
    const app = await stage.open({ refresh, name: "one" }, { tab });
    await stage.open({ refresh, name: "two", reuseGrace: 60_000 }, { tab });
    await stage.clock.until(app.session.signIn(stage.server.signIn()));
    await stage.clock.sleep(2 * HOUR);
    stage.server.faults.push(slow(20 * SECOND));
    await stage.outcome(app.session.getToken());
    await stage.clock.advance(2 * MINUTE);
    expect([app.status(), stage.server.stats.attempts, stage.server.stats.reused]).toEqual(["signed-in", 1, 0]);
  });
});
