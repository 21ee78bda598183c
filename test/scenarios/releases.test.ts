import { describe, expect, it } from "vitest";
import { idleLimit } from "../../src/index.js";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { maxAge } from "../../src/limits/max-age.js";
import { API } from "../../src/testing/token-server.js";
import { HOUR, MINUTE, type Scene, SECOND, scene } from "../support/scene.js";

const nameIn = ({ world }: Scene) => world.stores.names()[0]!;
const stored = (stage: Scene) => stage.world.stores.read(nameIn(stage)) as LedgerRecord & { flavour?: string };

/** Another tab's newer release writes the record. */
function migrate(stage: Scene, changes: object = {}): LedgerRecord {
  const next = { ...stored(stage), format: 2, servedFrom: 1, version: stored(stage).version + 1, ...changes };
  stage.world.stores.plant(nameIn(stage), next);
  return next;
}

describe("R86 a record of a newer release", () => {
  it("serves its token until it expires, and then rejects with `newer-release`; nothing is renewed or written, and the user stays", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const written = migrate(stage);
    app.tab.show();
    await stage.clock.advance(SECOND);
    expect([app.status(), await stage.call(app), app.session.getSnapshot().degraded]).toEqual(["signed-in", 200, true]);
    await stage.clock.sleep(2 * HOUR);
    expect(await stage.outcome(app.session.getToken())).toBe("newer-release");
    expect(await stage.outcome(app.session.fetch(`${API}/me`))).toBe("newer-release");
    expect(await stage.outcome(app.session.refresh())).toBe("newer-release");
    await stage.clock.advance(HOUR);
    expect([app.status(), stage.server.stats.attempts, stored(stage)]).toEqual(["signed-in", 0, written]);
    expect(app.tab.reports.filter(({ message }) => message.includes("newer release"))).toHaveLength(1);
  });

  it("that serves later formats only hands out nothing, whatever its members are", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const { epoch, version } = stored(stage);
    const written = { format: 3, servedFrom: 2, epoch, version: version + 1, signedIn: true, vault: "sealed" };
    stage.world.stores.plant(nameIn(stage), written);
    app.tab.show();
    await stage.clock.advance(SECOND);
    const opened = await stage.open();
    for (const tab of [app, opened]) {
      expect([tab.status(), tab.bare.peekToken()]).toEqual(["signed-in", null]);
      expect(await stage.outcome(tab.session.getToken())).toBe("newer-release");
    }
    await stage.clock.advance(HOUR);
    expect([stage.server.stats.attempts, stored(stage)]).toEqual([0, written]);
  });

  it("is not written over by a sign-in, which rejects", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const written = migrate(stage);
    expect(await stage.outcome(app.session.signIn(stage.server.signIn("grace")))).toBe("newer-release");
    expect(stored(stage)).toEqual(written);
  });

  it("serves no expired token where the session is past its limit (simulation, seed 115255)", async () => {
    const stage = scene({ session: { maxAge: maxAge(MINUTE) } });
    const app = await stage.signedIn();
    migrate(stage);
    app.tab.show();
    await stage.clock.advance(3 * HOUR);
    expect([app.status(), await stage.outcome(app.session.getToken())]).toEqual(["signed-in", "newer-release"]);
  });

  it("is ended by no limit of this release, and costs no work when one has passed", async () => {
    const stage = scene({ session: { idle: idleLimit({ after: 10 * MINUTE }), maxAge: maxAge(HOUR) } });
    const app = await stage.signedIn();
    const written = migrate(stage, { expiresAt: stage.clock.now() + 9 * HOUR });
    app.tab.show();
    await stage.clock.advance(SECOND);
    const before = stage.world.stores.transactions;
    await stage.clock.advance(3 * HOUR);
    expect([app.status(), stored(stage)]).toEqual(["signed-in", written]);
    expect(stage.world.stores.transactions - before).toBeLessThan(10);
  });

  it("is ended by a sign-out: its mark waits for the newer release, and no tab is signed in meanwhile", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const written = migrate(stage);
    await stage.clock.until(app.session.signOut());
    await stage.clock.advance(SECOND);
    const opened = await stage.open();
    expect([app.status(), opened.status(), stored(stage)]).toEqual(["signed-out: user", "signed-out: user", written]);
    expect(stage.world.stores.markOf(nameIn(stage))).toBeGreaterThan(written.epoch);
    expect(await stage.outcome(app.session.signIn(stage.server.signIn()))).toBe("newer-release");
    expect(stored(stage)).toEqual(written);
  });

  it("is left alone by a tab whose storage answers again", async () => {
    const stage = scene({ shares: true });
    const app = await stage.signedIn();
    stage.world.stores.trouble = () => "denied";
    await stage.clock.until(app.session.refresh());
    const written = migrate(stage);
    stage.world.stores.trouble = () => "none";
    app.tab.show();
    await stage.clock.advance(MINUTE);
    expect([stored(stage), app.status()]).toEqual([written, "signed-in"]);
  });
});

describe("R86 a tab without storage that hears of a newer release", () => {
  it("still signs out, and still hears of a sign-out", async () => {
    const stage = scene({ shares: true });
    const app = await stage.signedIn();
    const { tokens, ...record } = stored(stage);
    stage.world.stores.trouble = () => "denied";
    const stranger = stage.world.channels.open(stage.world.tab("newer"), stage.world.channels.posted[0]!.name);
    const say = async (changes: object) => {
      stranger.postMessage({ type: "changed", shared: false, record: { ...record, format: 2, servedFrom: 1, by: "newer", ...changes } });
      await stage.clock.advance(SECOND);
    };
    const committedAt = record.committedAt + 1;
    const newer = { version: 90, committedAt, tokens: { accessToken: tokens?.accessToken } };
    await say(newer);
    expect(await stage.outcome(app.session.refresh())).toBe("newer-release");
    await say({ version: 91, epoch: record.epoch + 1, committedAt: committedAt + 1, signedIn: false, reason: "user" });
    expect(app.status()).toBe("signed-out: user");
    await say({ ...newer, version: 92, epoch: record.epoch + 2, committedAt: committedAt + 2 });
    expect(app.status()).toBe("signed-in");
    await stage.clock.until(app.session.signOut());
    expect(app.status()).toBe("signed-out: user");
    stranger.close();
    stage.world.stores.trouble = () => "none";
  });
});

describe("R86 a tab that has a newer release's record in memory", () => {
  it("tells it to no other tab as its own", async () => {
    const stage = scene({ shares: true });
    const app = await stage.signedIn();
    migrate(stage);
    app.tab.show();
    await stage.clock.advance(SECOND);
    const before = stage.world.channels.posted.length;
    await stage.open({}, { lacks: { store: true } });
    await stage.clock.advance(2 * SECOND);
    const told = stage.world.channels.posted.slice(before).map(({ message }) => message as { type: string });
    expect(told.filter(({ type }) => type === "changed")).toEqual([]);
  });
});

describe("R86 members that this release does not know", () => {
  it("survive its renewals, and go with the session", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    stage.world.stores.plant(nameIn(stage), { ...stored(stage), flavour: "vanilla" });
    expect(await stage.clock.until(app.session.refresh())).toBe("refreshed");
    await stage.clock.advance(SECOND);
    expect(stored(stage)).toMatchObject({ format: 1, servedFrom: 1, flavour: "vanilla" });
    await stage.clock.until(app.session.signOut());
    await stage.clock.advance(SECOND);
    expect(stored(stage)).not.toHaveProperty("flavour");
  });
});
