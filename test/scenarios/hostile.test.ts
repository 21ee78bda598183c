import { describe, expect, it } from "vitest";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { DAY, HOUR, kept, MINUTE, type Scene, SECOND, scene } from "../support/scene.js";
import { first, serials, tabs } from "../support/tabs.js";

const ledgerName = (stage: Scene) => stage.world.stores.names()[0] ?? "";
const stored = (stage: Scene) => stage.world.stores.read(ledgerName(stage)) as LedgerRecord;

/** Posts what any script of the origin can post: `changed`, with the members of the stored record except for `lie`. */
async function post(stage: Scene, lie: Partial<LedgerRecord>, shared = true): Promise<void> {
  const name = stage.world.channels.posted[0]?.name ?? "";
  const { tokens: _, ...record } = stored(stage);
  const stranger = stage.world.channels.open(stage.world.tab("stranger"), name);
  stranger.postMessage({ type: "changed", shared, at: stage.clock.now(), record: { ...record, ...lie } });
  stranger.close();
  await stage.clock.advance(SECOND);
}

/** Puts a record in storage as any script of the origin can, with the members of the stored record except for `lie`. */
const plant = (stage: Scene, lie: Partial<LedgerRecord>) => stage.world.stores.plant(ledgerName(stage), { ...stored(stage), ...lie });

const LIES: Record<string, (record: LedgerRecord) => Partial<LedgerRecord>> = {
  "a higher version without tokens": ({ version }) => ({ version: version + 5, by: "stranger", tokens: undefined }),
  "a higher version with another access token": ({ version }) => ({
    version: version + 5,
    by: "stranger",
    tokens: { accessToken: "stranger" },
  }),
  "the known commit with another access token": () => ({ tokens: { accessToken: "stranger" } }),
  "a commit of two hours ahead": ({ version, committedAt }) => ({ version: version + 5, committedAt: committedAt + 2 * HOUR }),
  "a session of its own": ({ epoch, version }) => ({ epoch: epoch + HOUR, version: version + 1, tokens: { accessToken: "stranger" } }),
  "a token that cannot be renewed": ({ version }) => ({ version: version + 1, final: true, dueAt: null, expiresAt: null }),
};

describe("R93 a message of any script of the origin, to tabs that share a ledger", () => {
  it.each(Object.entries(LIES))("%s: nothing is lost, and the clock stays", async (_, lie) => {
    const stage = scene();
    const apps = await tabs(stage, 2);
    const before = stored(stage);
    const snapshot = first(apps).bare.getSnapshot();
    await post(stage, lie(before));
    expect(stored(stage)).toEqual(before);
    expect([serials(stage, apps), stage.server.stats.attempts]).toEqual([[1, 1], 0]);
    expect(first(apps).bare.getSnapshot()).toBe(snapshot);
    await stage.clock.advance(2 * HOUR);
    for (const app of apps) expect(await stage.call(app)).toBe(200);
    expect(stage.server.stats).toMatchObject({ reused: 0, apiUnauthorized: 0 });
  });

  it("a sign-in: nobody is signed in", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    await stage.clock.until(app.session.signOut());
    await stage.clock.advance(SECOND);
    const { epoch } = stored(stage);
    await post(stage, { epoch: epoch + HOUR, version: 99, signedIn: true, tokens: { accessToken: "stranger" } });
    expect([app.status(), app.bare.peekToken(), stored(stage).signedIn]).toEqual(["signed-out: user", null, false]);
  });

  it("a sender that says it has no storage: a lease, a pause and an activity are stored within their bounds", async () => {
    const stage = scene();
    const [app] = await tabs(stage, 1);
    const at = stage.clock.now();
    const far = at + 3_650 * DAY;
    await post(
      stage,
      {
        version: stored(stage).version + 1,
        lastActivityAt: far,
        refreshing: { tab: "stranger", since: at, timeout: 3_650 * DAY },
        failure: { code: "network", attempt: 1, at, retryAt: far },
      },
      false,
    );
    const { refreshing, failure, lastActivityAt } = stored(stage);
    expect(refreshing?.timeout).toBe(15 * MINUTE);
    expect((failure?.retryAt ?? 0) - at).toBeLessThanOrEqual(DAY + 2 * MINUTE);
    expect((lastActivityAt ?? 0) - at).toBeLessThanOrEqual(2 * MINUTE);
    expect(app?.status()).toBe("signed-in");
  });
});

describe("R93 a record in storage that is wrong, or hostile", () => {
  it.each([
    ["Web Locks", {}],
    ["the fallback lock", { locks: true }],
  ])("a lease of ten years holds nobody up for longer than a quarter of an hour (%s)", async (_, lacks) => {
    const stage = scene();
    const [app] = await tabs(stage, 1, lacks);
    const { fence } = stored(stage);
    plant(stage, { fence: fence + 1, refreshing: { tab: "stranger", since: stage.clock.now(), timeout: 3_650 * DAY } });
    await stage.clock.advance(2 * HOUR);
    expect(app && [app.status(), await stage.call(app)]).toEqual(["signed-in", 200]);
    expect(stage.server.stats.refreshes).toBeGreaterThan(0);
  });

  it("a next attempt in the year 3000 comes within a day and a minute", async () => {
    const stage = scene();
    const [app] = await tabs(stage, 1);
    const at = stage.clock.now();
    plant(stage, { failure: { code: "network", attempt: 1, at, retryAt: Date.UTC(3000, 0, 1) } });
    const next = await stage.open();
    app?.tab.close();
    await stage.clock.advance(DAY + 2 * MINUTE);
    expect([stage.server.stats.refreshes > 0, next.status(), await stage.call(next)]).toEqual([true, "signed-in", 200]);
  });
});

describe("tabs without a shared ledger", () => {
  it.each(["memory", "full"] as const)("R93 still hand the access token over (%s)", async (kind) => {
    const stage = scene({ shares: true, session: { persist: kept(kind === "memory" ? kind : "indexeddb") } });
    const app = await stage.open();
    if (kind === "full") stage.world.stores.trouble = () => "full";
    const sibling = await stage.open();
    await stage.clock.until(app.session.signIn(stage.server.signIn()));
    await stage.clock.advance(SECOND);
    expect(serials(stage, [app, sibling])).toEqual([1, 1]);
    await stage.clock.until(app.session.refresh());
    await stage.clock.advance(SECOND);
    expect(serials(stage, [app, sibling])).toEqual([2, 2]);
    const late = await stage.open();
    await stage.clock.advance(SECOND);
    expect([stage.serial(late), await stage.call(late)]).toEqual([2, 200]);
  });
});

describe("R89 a sign-out that a tab hears by message", () => {
  it("of a tab that did not know the session yet, tells the app of the end, and that the user signed out", async () => {
    const stage = scene();
    const [app, sibling] = [await stage.open(), await stage.open()];
    await stage.clock.until(app.session.signIn(stage.server.signIn()));
    expect(sibling.status()).toBe("signed-out");
    await stage.clock.until(sibling.session.signOut());
    await stage.clock.advance(SECOND);
    expect([app.status(), app.payloads("signed-out")]).toMatchObject(["signed-out: user", [{ reason: "user" }]]);
  });

  it("holds there at once, though the storage of that tab hangs", async () => {
    const stage = scene();
    const [app, sibling] = await tabs(stage, 2);
    if (!app || !sibling) return;
    stage.world.stores.trouble = (tab) => (tab === sibling.tab ? "hanging" : "none");
    await stage.clock.until(app.session.signOut());
    await stage.clock.advance(100);
    expect([sibling.status(), sibling.bare.peekToken()]).toEqual(["signed-out: user", null]);
    expect(await stage.call(sibling)).toBe(401);
    await stage.clock.advance(HOUR);
    expect([sibling.status(), sibling.count("signed-out"), stage.server.stats.attempts]).toEqual(["signed-out: user", 1, 0]);
  });
});
