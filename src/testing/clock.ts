import { type Entry, Timeline } from "./timeline.js";

/** 2030-01-01T00:00:00Z: far from any real date, so that a forgotten `Date.now()` shows. */
export const START = /* @__PURE__ */ Date.UTC(2030, 0, 1);

/** So many tasks without time moving on are a loop, not a program. */
const BUSY_LIMIT = 20_000;

/** A turn of the real event loop. The real one is kept, since a test may replace the global ones by such as do not run. */
const nextTask = /* @__PURE__ */ realTurns();

/** Browsers have no `setImmediate`, and slow down a chain of `setTimeout`; jsdom has neither of the others. */
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
  /** Epoch milliseconds at which it begins. @default 2030-01-01 */
  start?: number;
  /** What takes no time happens by itself; only what is due later waits for the clock to be moved. @default false */
  immediate?: boolean;
}

/**
 * Time for tests. There are two timelines: the world's (servers) always runs, the device's (timers, tabs) stands still during `sleep`.
 * The device's wall clock is the world's time plus whatever `jump` made of it.
 */
export class Clock {
  /** True time: what a server's clock shows. */
  readonly world = new Timeline();
  /** The device's monotonic time. */
  readonly device = new Timeline();
  #skew = 0;
  #turns: number;
  #start: number;
  #immediate: boolean;
  #moving = false;
  #flowing: Promise<void> | undefined;
  #atThisInstant = 0;

  /** `turns`: how many turns of the real event loop everything needs to settle; real requests need more. */
  constructor(turns = 2, { start = START, immediate = false }: ClockOptions = {}) {
    this.#turns = turns;
    this.#start = start;
    this.#immediate = immediate;
  }

  /** Wall clock of the device. */
  now(): number {
    return Math.floor(this.#start + this.world.now + this.#skew);
  }

  /** Wall clock of the rest of the world. */
  worldNow(): number {
    return Math.floor(this.#start + this.world.now);
  }

  monotonic(): number {
    return this.device.now;
  }

  after(delay: number, run: () => void): Entry {
    return this.#add(this.device, delay, run);
  }

  /** As `after`, for what happens between the pages: none of their code runs in it, so there is nothing to settle. */
  between(delay: number, run: () => void): Entry {
    return this.#add(this.device, delay, run, true);
  }

  elsewhere(delay: number, run: () => void): Entry {
    return this.#add(this.world, delay, run);
  }

  /** A pause on the world's timeline: a server that takes its time. */
  pause(delay: number): Promise<void> {
    return delay > 0 ? new Promise((resolve) => this.elsewhere(delay, resolve)) : Promise.resolve();
  }

  /** Somebody sets the wall clock. */
  jump(milliseconds: number): void {
    this.#skew += milliseconds;
  }

  /**
   * The lid is closed: the world goes on, the device does not. `counted`: its monotonic clock counts the sleep, so that timers which came
   * due meanwhile fire at once on waking; otherwise they still have their rest to run, as on most systems.
   */
  async sleep(milliseconds: number, { counted = false } = {}): Promise<void> {
    await this.#moveBy(milliseconds, [this.world]);
    if (counted) this.device.now += milliseconds;
  }

  /** Time passes; whatever comes due runs in order, and promises settle in between. */
  async advance(milliseconds: number): Promise<void> {
    await this.#moveBy(milliseconds, this.#all);
  }

  /** Runs until the promise is settled, and hands on its outcome. Fails when that takes more than `limit` milliseconds of this clock. */
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
        if (!step || step.wait > left) throw new Error(`not settled within ${limit} ms of virtual time`);
        left -= step.wait;
        this.#take(step, this.#all);
        if (!step.entry.quiet) await this.settle();
      }
    });
    return promise;
  }

  /** Lets promises settle without moving time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < this.#turns; turn += 1) await new Promise<void>(nextTask);
  }

  #add(timeline: Timeline, delay: number, run: () => void, quiet = false): Entry {
    const entry = timeline.add(delay, run, quiet);
    this.#flow();
    return entry;
  }

  /** What is due at this very moment comes about, once the code that runs now has come to its end. */
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
    if (this.#atThisInstant > BUSY_LIMIT) throw new Error("a loop that lets no time pass");
    for (const timeline of timelines) timeline.now += step.wait;
    step.timeline.run();
  }

  async #exclusively(move: () => Promise<void>): Promise<void> {
    if (this.#moving) throw new Error("the clock is already being moved; await the former call");
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
