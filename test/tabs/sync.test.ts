import { describe, expect, it } from "vitest";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { signedOut, signOut } from "../../src/ledger/transitions/index.js";
import { memory } from "../../src/session/memory.js";
import { World } from "../../src/testing/world.js";
import type { SessionOptions } from "../../src/types/index.js";
import { contextOver, liveRecord } from "../support/context.js";

const OWNER = { accessToken: "access", refreshToken: "refresh", idToken: "id", scope: "s" };
const SIBLING = { accessToken: "access" };

/** Some tabs of one session, each with the record that it has. The ledger is in memory unless it is said otherwise. */
async function setUp(options: Partial<SessionOptions>, ...tokens: (LedgerRecord["tokens"] | null)[]) {
  const world = new World();
  const tabs = tokens.map(() => contextOver({ world, options: { persist: memory(), ...options } }));
  const live = liveRecord(tabs[0]!.context);
  for (const [index, tab] of tabs.entries()) {
    const has = tokens[index];
    if (has !== null) await tab.write({ ...live, tokens: has });
  }
  const { clock } = world;
  /** What was posted in so many milliseconds. */
  async function postedIn(milliseconds: number, act: () => void) {
    const before = world.channels.posted.length;
    act();
    await clock.advance(milliseconds);
    return world.channels.posted.slice(before).map(({ tab, message }) => ({ tab, message }) as { tab: string; message: Message });
  }
  return { world, clock, tabs: tabs as [Tab, Tab, Tab], postedIn };
}

type Tab = ReturnType<typeof contextOver>;
type Message = { type: string; record?: LedgerRecord; version?: number };

describe("what a tab tells the others", () => {
  it("R10 is the access token where the ledger does not hold it, and never the refresh token", async () => {
    const { tabs, postedIn } = await setUp({}, OWNER);
    const [said] = await postedIn(10, () => tabs[0].context.tabs.announce());
    expect(said?.message.record?.tokens).toEqual({ accessToken: "access", idToken: "id", scope: "s" });
  });

  it("R10 is no token where the ledger holds them, or where the app does not want them shared", async () => {
    for (const options of [{ persist: "indexeddb" }, { persist: memory({ shareAccessToken: false }) }] as const) {
      const { tabs, postedIn } = await setUp(options, OWNER);
      const [said] = await postedIn(10, () => tabs[0].context.tabs.announce());
      expect([said?.message.type, said?.message.record?.tokens]).toEqual(["changed", undefined]);
    }
  });

  it("is nothing before there is a record", async () => {
    const { tabs, postedIn } = await setUp({}, null);
    expect(await postedIn(10, () => tabs[0].context.tabs.announce())).toEqual([]);
  });
});

describe("a tab that asks for tokens", () => {
  it("is answered by the owner at once, and by no other tab then", async () => {
    const { tabs, postedIn } = await setUp({}, OWNER, SIBLING, undefined);
    const [, , asker] = tabs;
    const said = await postedIn(400, () => asker.context.tabs.ask(3));
    expect(said.map(({ tab, message }) => [tab, message.type])).toEqual([
      ["tab 3", "ask"],
      ["tab 1", "changed"],
    ]);
    expect(asker.context.ledger.current?.tokens?.accessToken).toBe("access");
  });

  it("is answered by another tab that has the token, after a wait for the owner", async () => {
    const { tabs, postedIn, clock } = await setUp({}, SIBLING, undefined);
    const [, asker] = tabs;
    expect(await postedIn(50, () => asker.context.tabs.ask(3))).toHaveLength(1);
    const said = await postedIn(250, () => {});
    expect(said.map(({ tab, message }) => [tab, message.type])).toEqual([["tab 1", "changed"]]);
    await clock.advance(10);
    expect(asker.context.ledger.current?.tokens?.accessToken).toBe("access");
  });

  it("is answered once, though two tabs have the token", async () => {
    const { tabs, postedIn } = await setUp({}, SIBLING, SIBLING, undefined);
    const said = await postedIn(400, () => tabs[2].context.tabs.ask(3));
    expect(said.filter(({ message }) => message.type === "changed")).toHaveLength(1);
  });

  it("has the owner renew where it needs a later version than there is, for the audience that it names", async () => {
    const { tabs, postedIn } = await setUp({}, OWNER, SIBLING, SIBLING);
    await postedIn(400, () => tabs[1].context.tabs.ask(4));
    await postedIn(400, () => tabs[1].context.tabs.ask(4, "https://billing.test"));
    expect(tabs.map(({ asked }) => asked)).toEqual([[undefined, "https://billing.test"], [], []]);
  });

  it("is not answered by a tab without a session, or without its tokens", async () => {
    const { tabs, postedIn } = await setUp({}, null, undefined, undefined);
    expect(await postedIn(400, () => tabs[2].context.tabs.ask(3))).toHaveLength(1);
  });

  it("is told the access token although the ledger holds it, if it cannot read the ledger", async () => {
    const world = new World();
    const owner = contextOver({ world });
    const lone = contextOver({ world, lacks: { store: true } });
    await owner.write(liveRecord(owner.context));
    lone.context.tabs.ask(0);
    await world.clock.advance(300);
    expect(lone.context.ledger.current?.tokens).toEqual({ accessToken: "access" });
    const before = world.channels.posted.length;
    contextOver({ world }).context.tabs.ask(0);
    await world.clock.advance(300);
    const answers = world.channels.posted.slice(before + 1).map(({ message }) => (message as Message).record?.tokens);
    expect(answers, "one that can read it is not").toEqual([undefined]);
  });
});

describe("a tab without storage", () => {
  it("R10 asks for the token of a commit that it hears of, once: the others may not share it", async () => {
    const world = new World();
    const owner = contextOver({ world, options: { persist: memory({ shareAccessToken: false }) } });
    const lone = contextOver({ world, lacks: { store: true } });
    await owner.write(liveRecord(owner.context));
    for (let times = 0; times < 3; times++) {
      owner.context.tabs.announce();
      await world.clock.advance(400);
    }
    expect(lone.posted()).toMatchObject([{ type: "ask", version: 3, shared: false }]);
    await owner.write(liveRecord(owner.context, { version: 4 }));
    owner.context.tabs.announce();
    await world.clock.advance(400);
    expect(lone.posted().map((message) => (message as Message).version)).toEqual([3, 4]);
  });
});

describe("the channel of a tab", () => {
  it("R10 ignores what is no message", async () => {
    const { tabs, world, clock } = await setUp({}, OWNER);
    const stranger = world.tab().environment.openChannel!("session");
    const refreshing = { type: "changed", record: liveRecord(tabs[0].context, { version: 9, tokens: OWNER }) };
    for (const message of [null, "x", { type: "ask" }, { type: "changed", record: {} }, refreshing]) stranger.postMessage(message);
    await clock.advance(400);
    expect([tabs[0].context.ledger.current?.version, tabs[0].posted()]).toEqual([3, []]);
  });

  it("R68 takes the time of a tab that has committed, where its own clock is ahead", async () => {
    const { tabs, clock, world } = await setUp({}, OWNER);
    const { context } = tabs[0];
    const before = context.clock.now();
    context.clock.reach(before + 3_600_000);
    const stranger = world.tab().environment.openChannel!("session");
    const theirs = { by: "other", committedAt: clock.now(), tokens: undefined };
    stranger.postMessage({ type: "changed", record: liveRecord(context, { version: 3, ...theirs }) });
    await clock.advance(10);
    expect(context.clock.now(), "an old commit tells no time").toBeGreaterThan(before + 3_000_000);
    const commit = liveRecord(context, { version: 4, ...theirs });
    stranger.postMessage({ type: "changed", record: commit });
    await clock.advance(10);
    expect(context.clock.now(), "R93 a commit that the ledger does not have tells no time").toBeGreaterThan(before + 3_000_000);
    world.stores.plant("session", commit);
    stranger.postMessage({ type: "changed", record: commit });
    await clock.advance(10);
    expect(context.clock.now()).toBeLessThan(before + 1_000);
  });

  it("R93 tells a tab that knows no record yet, as its storage is slow, no time: the commit may be an old one", async () => {
    const world = new World();
    const owner = contextOver({ world });
    await owner.write(liveRecord(owner.context));
    await world.clock.advance(40_000);
    const opened = contextOver({ world });
    owner.context.tabs.announce();
    await world.clock.advance(1_000);
    expect(opened.context.ledger.current?.version).toBe(3);
    expect(world.clock.now() - opened.context.clock.now()).toBeLessThan(1_000);
  });

  it("R88 does not count the time that storage takes to confirm a commit (simulation, seed 6878 with storage-hangs)", async () => {
    const { tabs, clock, world } = await setUp({ persist: "indexeddb" }, OWNER, null);
    const [other, app] = tabs;
    await clock.until(app.context.ledger.read());
    await clock.until(other.context.ledger.apply((known) => ({ next: { ...known!, version: 4, by: "other", committedAt: clock.now() } })));
    world.stores.trouble = (tab) => (tab.name === "tab 2" ? "hanging" : "none");
    other.context.tabs.announce();
    for (let seconds = 0; seconds < 12; seconds++) {
      await clock.advance(1_000);
      app.context.clock.now();
    }
    world.stores.trouble = () => "none";
    await clock.advance(10_000);
    expect(app.context.ledger.current?.version).toBe(4);
    expect(clock.now() - app.context.clock.now()).toBeLessThan(1_000);
  });

  it("R93 tells no time by an end, which is stored as late as a page is back from the cache", async () => {
    const { tabs, clock } = await setUp({ persist: "indexeddb" }, OWNER, null);
    const [other, app] = tabs;
    await clock.until(app.context.ledger.read());
    const ended = signedOut(other.context.ledger.current, { now: clock.now(), tab: "other", random: () => 0.5 }, "user");
    await clock.advance(20_000);
    app.context.clock.now();
    await clock.advance(20_000);
    await clock.until(other.context.ledger.apply(signOut(ended)));
    other.context.tabs.announce();
    await clock.advance(1_000);
    expect(app.context.ledger.current?.signedIn).toBe(false);
    expect(clock.now() - app.context.clock.now()).toBeLessThan(1_000);
  });

  it("R35 leaves neither a timer nor a channel when it is closed", async () => {
    const { tabs, postedIn, world } = await setUp({}, SIBLING, undefined);
    await postedIn(10, () => tabs[1].context.tabs.ask(3));
    expect(world.leftovers(tabs[0].page)).toMatchObject({ timers: 1, channels: 1 });
    tabs[0].context.tabs.close();
    expect(world.leftovers(tabs[0].page)).toMatchObject({ timers: 0, channels: 0 });
  });
});
