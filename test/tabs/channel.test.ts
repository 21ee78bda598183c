import { describe, expect, it } from "vitest";
import { createTabChannel } from "../../src/tabs/channel.js";
import { type Lacks, World } from "../../src/testing/world.js";

function setUp(lacks: Lacks = {}) {
  const world = new World();
  return {
    world,
    make() {
      const tab = world.tab(undefined, lacks);
      const heard: unknown[] = [];
      const channel = createTabChannel(tab.environment, "news", (data) => heard.push(data));
      channel.open();
      return { tab, heard, channel };
    },
  };
}

describe("the channel", () => {
  it("carries messages to the other tabs", async () => {
    const { world, make } = setUp();
    const [a, b] = [make(), make()];
    a.channel.post({ n: 1 });
    await world.clock.advance(10);
    expect([a.heard, b.heard]).toEqual([[], [{ n: 1 }]]);
  });

  it("R11 closes and opens again, as often as it is told to", async () => {
    const { world, make } = setUp();
    const [a, b] = [make(), make()];
    b.channel.close();
    b.channel.close();
    a.channel.post("missed");
    await world.clock.advance(10);
    b.channel.open();
    b.channel.open();
    a.channel.post("heard");
    await world.clock.advance(10);
    expect([b.heard, world.channels.openIn(b.tab)]).toEqual([["heard"], 1]);
  });

  it("says that a message cannot be posted, and goes on: WebKitGTK hands no key over", async () => {
    const { world, make } = setUp();
    const [a, b] = [make(), make()];
    expect(a.channel.post({ key: () => {} })).toBe(false);
    expect([a.channel.post("next"), world.channels.openIn(a.tab)]).toEqual([true, 1]);
    b.channel.post("heard");
    await world.clock.advance(10);
    expect([a.heard, b.heard]).toEqual([["heard"], ["next"]]);
  });

  it.each([{ channel: true }, { channel: "throws" }] satisfies Lacks[])("R4 with %j nobody hears, and nothing breaks", async (lacks) => {
    const { channel } = setUp(lacks).make();
    channel.post("x");
    channel.close();
    channel.post("x");
  });
});
