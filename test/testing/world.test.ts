import { describe, expect, it } from "vitest";
import { between, seeded } from "../../src/testing/chance.js";
import { json } from "../../src/testing/reply.js";
import { World, type WorldTab } from "../../src/testing/world.js";
import type { Channel } from "../../src/types/environment.js";

const channel = (tab: WorldTab): Channel => (tab.environment.openChannel as (name: string) => Channel)("news");

function listening(tab: WorldTab): { channel: Channel; heard: unknown[] } {
  const heard: unknown[] = [];
  const own = channel(tab);
  own.onmessage = ({ data }) => heard.push(data);
  return { channel: own, heard };
}

describe("the virtual channels", () => {
  it("deliver to everybody else, in each sender's order, whatever each message takes", async () => {
    const world = new World({ delays: { message: between(seeded(3), 0, 50) } });
    const [a, b, c] = [listening(world.tab()), listening(world.tab()), listening(world.tab())];
    for (let n = 0; n < 20; n += 1) a.channel.postMessage(n);
    await world.clock.advance(100);
    const all = Array.from({ length: 20 }, (_, n) => n);
    expect([a.heard, b.heard, c.heard]).toEqual([[], all, all]);
  });

  it("clone, refuse what cannot be cloned, and drop what comes to a closed one", async () => {
    const world = new World();
    const [a, b] = [listening(world.tab()), listening(world.tab())];
    const message = { n: 1 };
    a.channel.postMessage(message);
    message.n = 2;
    expect(() => a.channel.postMessage(() => {})).toThrow(DOMException);
    await world.clock.advance(5);
    a.channel.postMessage("late");
    b.channel.close();
    await world.clock.advance(5);
    expect(b.heard).toEqual([{ n: 1 }]);
    expect(() => b.channel.postMessage("closed")).toThrow("closed");
  });
});

describe("a virtual tab", () => {
  it("runs nothing once it is dead, and its request still reaches the server", async () => {
    let arrived = 0;
    const world = new World({
      server: async () => {
        arrived += 1;
        return json(200, {});
      },
    });
    const tab = world.tab();
    const seen: string[] = [];
    tab.environment.setTimeout(() => seen.push("timer"), 10);
    tab.environment.onPageSignal((signal) => seen.push(signal));
    void tab.environment.fetch("https://api.example.test/").then(() => seen.push("answer"));
    await world.clock.advance(1);
    tab.close();
    tab.environment.setTimeout(() => seen.push("posthumous"), 0);
    await world.clock.advance(1_000);
    expect([seen, arrived]).toEqual([["hide"], 1]);
  });

  it("gets everything late when it was frozen, in order", async () => {
    const world = new World({ server: async () => json(200, {}) });
    const [tab, other] = [world.tab(), world.tab()];
    const { heard } = listening(tab);
    tab.environment.setTimeout(() => heard.push("timer"), 100);
    void tab.environment.fetch("https://api.example.test/").then(() => heard.push("answer"));
    await world.clock.settle();
    tab.enterCache();
    channel(other).postMessage("message");
    await world.clock.advance(1_000);
    expect(heard).toEqual([]);
    tab.leaveCache();
    await world.clock.advance(0);
    expect(heard).toEqual(["message", "answer", "timer"]);
  });

  it.each([
    ["as-due", ["answer", "timer"]],
    ["timers-first", ["timer", "answer"]],
  ] as const)("catches up %s after its main thread was blocked", async (catchUp, expected) => {
    const world = new World({ server: async () => json(200, {}) });
    const tab = world.tab();
    tab.catchUp = catchUp;
    const seen: string[] = [];
    tab.environment.setTimeout(() => seen.push("timer"), 1_000);
    void tab.environment.fetch("https://api.example.test/").then(() => seen.push("answer"));
    await world.clock.settle();
    tab.block(5_000);
    await world.clock.advance(4_999);
    expect(seen).toEqual([]);
    await world.clock.advance(1);
    expect(seen).toEqual(expected);
  });

  it("does not run a late timer that was cleared meanwhile", async () => {
    const world = new World();
    const { environment, ...tab } = world.tab();
    let fired = false;
    const handle = environment.setTimeout(() => (fired = true), 10);
    world.tabs[0]?.block(100);
    await world.clock.advance(50);
    environment.clearTimeout(handle);
    await world.clock.advance(100);
    expect([fired, tab.timers.size]).toEqual([false, 0]);
  });

  it("fires a timer that is too long for 32 bits at once, as browsers do", async () => {
    const world = new World();
    const fired: string[] = [];
    const { environment } = world.tab();
    environment.setTimeout(() => fired.push("too long"), 2 ** 31);
    environment.setTimeout(() => fired.push("longest"), 2 ** 31 - 1);
    await world.clock.advance(1);
    expect(fired).toEqual(["too long"]);
    await world.clock.advance(2 ** 31);
    expect(fired).toEqual(["too long", "longest"]);
  });

  it("rejects an aborted request with the reason, and an offline one with a TypeError", async () => {
    const world = new World({ server: async () => "silence" });
    const { environment } = world.tab();
    const controller = new AbortController();
    const aborted = environment.fetch("/relative", { signal: controller.signal });
    await world.clock.advance(100);
    controller.abort(new Error("enough"));
    await expect(aborted).rejects.toThrow("enough");
    world.network.offline = true;
    await expect(world.clock.until(environment.fetch("/"))).rejects.toThrow(TypeError);
    expect(world.network.sent.map(({ url }) => url)).toEqual(["https://app.example.test/relative", "https://app.example.test/"]);
  });

  it("reads a body that stalls until the request is aborted", async () => {
    const world = new World({ server: async () => ({ status: 200, body: "0123456789", stalls: true }) });
    const { environment } = world.tab();
    const controller = new AbortController();
    const response = await world.clock.until(environment.fetch("/", { signal: controller.signal }));
    const text = response.text();
    await expect(world.clock.until(text, 60_000)).rejects.toThrow("not settled");
    controller.abort(new Error("enough"));
    await expect(text).rejects.toThrow("enough");
  });

  it("counts what it has left behind", async () => {
    const world = new World();
    const tab = world.tab();
    const { environment } = tab;
    const own = channel(tab);
    const handle = environment.setTimeout(() => {}, 1_000);
    const undo = environment.onPageSignal(() => {});
    const store = environment.openStore?.("ledger");
    store?.transact(
      () => undefined,
      () => {},
      () => {},
    );
    await world.clock.advance(10);
    expect(world.leftovers(tab)).toEqual({ timers: 1, listeners: 1, channels: 1, connections: 1, locks: 0 });
    own.close();
    environment.clearTimeout(handle);
    undo();
    store?.close();
    expect(world.leftovers(tab)).toEqual({ timers: 0, listeners: 0, channels: 0, connections: 0, locks: 0 });
  });
});
