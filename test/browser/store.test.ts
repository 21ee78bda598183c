import { describe, expect, it } from "vitest";
import { useBrowser } from "./harness/scenario.js";

const browser = useBrowser();
const HAND_OVERS = 100;

describe("what a message of another tab says was stored", () => {
  it("R2 is there for all who read it side by side, each time", async () => {
    const site = await browser.site();
    const [writer, ...readers] = await site.openSignedIn(4);
    for (const [index, reader] of readers.entries()) {
      await reader!.run((own) => {
        const channel = new BroadcastChannel("hand-over");
        const store = app.openStore("hand-over");
        channel.onmessage = ({ data }) => {
          if (typeof data !== "number") return;
          store.read(
            (found) => channel.postMessage({ from: own, expected: data, found }),
            () => channel.postMessage({ from: own, expected: data, found: "nothing" }),
          );
        };
      }, index);
    }

    const answers = await writer!.run(async (handOvers) => {
      const channel = new BroadcastChannel("hand-over");
      const store = app.openStore("hand-over");
      const wrong: unknown[] = [];
      for (let value = 1; value <= handOvers; value++) {
        await new Promise<void>((resolve, reject) => store.transact(() => value, resolve, reject));
        await new Promise<void>((resolve) => {
          let outstanding = 3;
          channel.onmessage = ({ data }) => {
            if (data.found !== data.expected) wrong.push(data);
            if (--outstanding === 0) resolve();
          };
          channel.postMessage(value);
        });
      }
      return wrong;
    }, HAND_OVERS);

    expect(answers).toEqual([]);
  });
});
