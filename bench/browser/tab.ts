// In the page: a tab that counts what it does.
import { makeSession } from "./app.js";

const now = () => performance.timeOrigin + performance.now();
const counted = {
  messages: 0,
  timersSet: 0,
  pending: new Set<unknown>(),
  /** When a new token was in force here, one for each rotation. */
  adopted: [] as number[],
  answeredAt: 0,
  /** When a bare message was there. */
  heard: [] as number[],
};

/** What no library is part of: the way from tab to tab. */
const bare = new BroadcastChannel("bare");
bare.onmessage = () => void counted.heard.push(now());

const { postMessage } = BroadcastChannel.prototype;
BroadcastChannel.prototype.postMessage = function (message) {
  counted.messages++;
  postMessage.call(this, message);
};
const { setTimeout, clearTimeout, fetch } = globalThis;
globalThis.setTimeout = ((run: () => void, milliseconds: number) => {
  counted.timersSet++;
  const handle = setTimeout(() => {
    counted.pending.delete(handle);
    run();
  }, milliseconds);
  counted.pending.add(handle);
  return handle;
}) as typeof globalThis.setTimeout;
globalThis.clearTimeout = (handle) => {
  counted.pending.delete(handle);
  clearTimeout(handle);
};
globalThis.fetch = async (input, init) => {
  const response = await fetch(input, init);
  if (String(input instanceof Request ? input.url : input).endsWith("/token")) counted.answeredAt = now();
  return response;
};

const session = makeSession();
session.on("refreshed", () => void counted.adopted.push(now()));

globalThis.bench = {
  session,
  counted: () => ({ ...counted, pending: counted.pending.size }),
  forget() {
    counted.messages = counted.timersSet = 0;
    counted.adopted = [];
    counted.heard = [];
  },
  tellBare() {
    const at = now();
    // As many letters as a record with a short token has.
    postMessage.call(bare, { record: "x".repeat(400) });
    return at;
  },
  async rotate() {
    await session.refresh();
    return counted.answeredAt;
  },
  async rotateOften(times) {
    for (let round = 0; round < times; round++) await session.refresh();
  },
  async added(times) {
    const added: number[] = [];
    for (let round = 0; round < times; round++) {
      performance.clearResourceTimings();
      const start = performance.now();
      await session.refresh();
      const total = performance.now() - start;
      // It may be listed a moment later.
      let request: PerformanceEntry | undefined;
      while (!request) {
        [request] = performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/token"));
        await new Promise((resolve) => setTimeout(() => resolve(undefined), 2));
      }
      added.push(total - request.duration);
    }
    return added;
  },
};

declare global {
  var bench: {
    session: ReturnType<typeof makeSession>;
    counted(): { messages: number; timersSet: number; pending: number; adopted: number[]; heard: number[] };
    forget(): void;
    /** Posts a message that is none of a session's; returns when. */
    tellBare(): number;
    /** Resolves with when the answer came. */
    rotate(): Promise<number>;
    rotateOften(times: number): Promise<void>;
    /** Milliseconds that each refresh took on top of its request. */
    added(times: number): Promise<number[]>;
  };
}
