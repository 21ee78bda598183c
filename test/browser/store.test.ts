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

    const wrong = await writer!.run(
      async ([handOvers, count]) => {
        const channel = new BroadcastChannel("hand-over");
        const store = app.openStore("hand-over");
        const wrong: unknown[] = [];
        for (let value = 1; value <= handOvers; value++) {
          await new Promise<void>((resolve, reject) => store.transact(() => value, resolve, reject));
          await new Promise<void>((resolve) => {
            let outstanding = count;
            channel.onmessage = ({ data }) => {
              if (data.found !== data.expected) wrong.push(data);
              if (--outstanding === 0) resolve();
            };
            channel.postMessage(value);
          });
        }
        return wrong;
      },
      [HAND_OVERS, readers.length] as const,
    );

    expect(wrong).toEqual([]);
  });

  it("R5 keeps nobody from writing while who has read it is busy with what it read", async () => {
    const site = await browser.site();
    const [writer, reader] = await site.openSignedIn(2);
    // It listens before anybody is busy, and hands over later what it has come to.
    await writer!.run(() => {
      const channel = new BroadcastChannel("busy");
      const store = app.openStore("busy");
      const written = new Promise<{ busyUntil: number; writtenAt: number }>((resolve, reject) => {
        channel.onmessage = ({ data: busyUntil }) => {
          const done = () => resolve({ busyUntil, writtenAt: Date.now() });
          store.transact(() => 1, done, reject);
        };
      });
      Object.assign(globalThis, { written });
    });
    await reader!.run(async () => {
      const store = app.openStore("busy");
      const channel = new BroadcastChannel("busy");
      // Opened before, so that nothing but the transaction is measured.
      await new Promise<void>((resolve, reject) => store.transact(() => 0, resolve, reject));
      store.read(
        () => {
          const busyUntil = Date.now() + 3000;
          channel.postMessage(busyUntil);
          while (Date.now() < busyUntil);
        },
        () => {},
      );
    });

    const { busyUntil, writtenAt } = await writer!.run(
      () => (globalThis as unknown as { written: Promise<{ busyUntil: number; writtenAt: number }> }).written,
    );
    expect(busyUntil - writtenAt, "milliseconds before the reader was done").toBeGreaterThan(1000);
  });
});
