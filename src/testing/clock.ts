import type { Clock as PublicClock } from "./public.js";
import { type Entry, Timeline } from "./timeline.js";

/** 2030-01-01T00:00:00Z. The date is far from the real one, so that a test notices a forgotten `Date.now()`. */
export const START = /* @__PURE__ */ Date.UTC(2030, 0, 1);

/** Waits for one turn of the real event loop. The functions are kept at import, because a test may replace the global ones by fake timers. */
const nextTask = /* @__PURE__ */ realTurns();

/** Node has `setImmediate`. Browsers have `MessageChannel`, and slow down a chain of `setTimeout`. jsdom has only `setTimeout`. */
function realTurns(): (run: () => void) => void {
  const { setImmediate, MessageChannel, setTimeout } = globalThis;
  if (setImmediate) return setImmediate;
  if (!MessageChannel) return (run) => setTimeout(run, 0);
  return (run) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      run();
    };
    port2.postMessage(undefined);
  };
}

export interface ClockOptions {
  /** The wall clock's first instant, in epoch milliseconds. @default 2030-01-01T00:00:00Z */
  start?: number;
  /** Whether a task with a delay of 0 runs by itself. A task with a longer delay always waits until the test moves the clock. @default false */
  immediate?: boolean;
}

export class Clock implements PublicClock {
  /** The timeline of servers. */
  readonly world = new Timeline();
  /** The timeline of the device's monotonic time. */
  readonly device = new Timeline();
  /** The greatest number of tasks at one instant. More tasks mean that the code under test loops. */
  protected readonly busyLimit: number = 20_000;
  #skew = 0;
  #turns: number;
  #start: number;
  #immediate: boolean;
  #moving = false;
  #flowing: Promise<void> | undefined;
  #atThisInstant = 0;

  constructor(turns = 2, { start = START, immediate = false }: ClockOptions = {}) {
    this.#turns = turns;
    this.#start = start;
    this.#immediate = immediate;
  }

  now(): number {
    return Math.floor(this.#start + this.world.now + this.#skew);
  }

  worldNow(): number {
    return Math.floor(this.#start + this.world.now);
  }

  monotonic(): number {
    return this.device.now;
  }

  /** Runs a task on the device's timeline after a delay. */
  after(delay: number, run: () => void): Entry {
    return this.#add(this.device, delay, run);
  }

  /** As `after`, for a task of the browser itself. No code of a page runs in the task, so the clock waits for no promise. */
  between(delay: number, run: () => void): Entry {
    return this.#add(this.device, delay, run, true);
  }

  /** Runs a task on the world's timeline after a delay. */
  elsewhere(delay: number, run: () => void): Entry {
    return this.#add(this.world, delay, run);
  }

  pause(delay: number): Promise<void> {
    return delay > 0 ? new Promise((resolve) => this.elsewhere(delay, resolve)) : Promise.resolve();
  }

  jump(milliseconds: number): void {
    this.#skew += milliseconds;
  }

  async sleep(milliseconds: number, { counted = false } = {}): Promise<void> {
    await this.#moveBy(milliseconds, [this.world]);
    if (counted) this.device.now += milliseconds;
  }

  async advance(milliseconds: number): Promise<void> {
    await this.#moveBy(milliseconds, this.#all);
  }

  async until<T>(promise: Promise<T>, limit = 120_000): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
    };
    promise.then(settle, settle);
    await this.#exclusively(async () => {
      await this.settle();
      let left = limit;
      while (!settled) {
        const step = this.#next(this.#all);
        if (!step || step.wait > left) throw new Error(`tokentide/testing: the promise has not settled within ${limit} ms of virtual time`);
        left -= step.wait;
        this.#take(step, this.#all);
        if (!step.entry.quiet) await this.settle();
      }
    });
    return promise;
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < this.#turns; turn += 1) await new Promise<void>(nextTask);
  }

  #add(timeline: Timeline, delay: number, run: () => void, quiet = false): Entry {
    const entry = timeline.add(delay, run, quiet);
    this.#flow();
    return entry;
  }

  /** Runs the tasks of this instant after the code that runs now. */
  #flow(): void {
    if (!this.#immediate || this.#moving || this.#flowing || this.#next(this.#all)?.wait !== 0) return;
    this.#flowing = this.#run(0, this.#all).finally(() => {
      this.#flowing = undefined;
      this.#flow();
    });
  }

  get #all(): Timeline[] {
    return [this.world, this.device];
  }

  async #moveBy(milliseconds: number, timelines: Timeline[]): Promise<void> {
    await this.#exclusively(() => this.#run(milliseconds, timelines));
  }

  async #run(milliseconds: number, timelines: Timeline[]): Promise<void> {
    await this.settle();
    let left = milliseconds;
    for (let step = this.#next(timelines); step && step.wait <= left; step = this.#next(timelines)) {
      left -= step.wait;
      this.#take(step, timelines);
      if (!step.entry.quiet) await this.settle();
    }
    for (const timeline of timelines) timeline.now += left;
    this.#atThisInstant = 0;
  }

  #next(timelines: Timeline[]): { timeline: Timeline; entry: Entry; wait: number } | undefined {
    let best: { timeline: Timeline; entry: Entry; wait: number } | undefined;
    for (const timeline of timelines) {
      const entry = timeline.peek();
      if (!entry) continue;
      const wait = Math.max(0, entry.due - timeline.now);
      if (!best || wait < best.wait || (wait === best.wait && entry.sequence < best.entry.sequence)) best = { timeline, entry, wait };
    }
    return best;
  }

  #take(step: { timeline: Timeline; wait: number }, timelines: Timeline[]): void {
    this.#atThisInstant = step.wait > 0 ? 0 : this.#atThisInstant + 1;
    if (this.#atThisInstant > this.busyLimit)
      throw new Error(`tokentide/testing: the code under test lets no time pass: more than ${this.busyLimit} tasks ran at one instant`);
    for (const timeline of timelines) timeline.now += step.wait;
    step.timeline.run();
  }

  async #exclusively(move: () => Promise<void>): Promise<void> {
    if (this.#moving) throw new Error("tokentide/testing: the clock is already being moved by another call; await that call first");
    this.#moving = true;
    try {
      await this.#flowing;
      await move();
    } finally {
      this.#moving = false;
      this.#flow();
    }
  }
}
