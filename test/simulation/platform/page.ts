import type { Chance } from "../../../src/testing/chance.js";
import type { Task } from "../../../src/testing/tab.js";
import type { WorldTab } from "../../../src/testing/world.js";
import type { Environment, PageSignal } from "../../../src/types/environment.js";
import type { FastClock } from "./clock.js";

interface PageTimer {
  readonly callback: () => void;
  readonly due: number;
  task: Task;
}

/** One tab of the simulation: what of its time it could use, and timers that are late as a browser's are. */
export class Page {
  readonly tab: WorldTab;
  readonly name: string;
  readonly environment: Environment;
  /** It heard that it is going away, and has to hear that it is back. */
  #told = false;
  readonly #clock: FastClock;
  readonly #timers = new Set<PageTimer>();
  readonly #idle = new Set<string>();
  #idleSince = 0;
  #idleTime = 0;
  #blocks = 0;
  readonly #openedAt: number;
  #hiddenAt = 0;
  /** How often it stood still so far. */
  interruptions = 0;
  /** It was opened before anybody visits it, and no limit counts. */
  prerendering = false;

  constructor(tab: WorldTab, clock: FastClock, chance: Chance, skew: number, fetch: (page: Page) => typeof globalThis.fetch) {
    this.tab = tab;
    this.name = tab.name;
    this.#clock = clock;
    this.#openedAt = clock.monotonic();
    this.environment = {
      ...tab.environment,
      now: () => clock.now() + skew,
      setTimeout: (callback, milliseconds) => this.#setTimeout(callback, Math.max(0, milliseconds) + Math.floor(chance() * 4)),
      clearTimeout: (handle) => this.#clearTimeout(handle as PageTimer | undefined),
      fetch: fetch(this),
    };
    tab.onDeath.push(() => this.#stop("dead"));
  }

  /** Whether code of the page can run at this moment. */
  get runs(): boolean {
    return !this.tab.dead && !this.tab.frozen && this.#blocks === 0;
  }

  get throttled(): boolean {
    return this.#idle.has("throttled");
  }

  /** How often it stood still, as far as it can tell. */
  get absences(): number {
    return this.interruptions + this.#clock.leaps;
  }

  age(): number {
    return this.#clock.monotonic() - this.#openedAt;
  }

  /** Milliseconds since it was hidden last. */
  hiddenFor(): number {
    return this.#clock.monotonic() - this.#hiddenAt;
  }

  /** Milliseconds of the device's clock in which this page could run, its timers included. */
  running(): number {
    const now = this.#clock.monotonic();
    return now - this.#idleTime - (this.#idle.size > 0 ? now - this.#idleSince : 0);
  }

  /** Its timers come due once in so many milliseconds. */
  throttle(grid: number): void {
    this.tab.timerGrid = grid;
    this.#hiddenAt = this.#clock.monotonic();
    this.#stop("throttled");
    this.#rearm();
  }

  unthrottle(): void {
    if (!this.throttled) return;
    this.tab.timerGrid = 0;
    this.#go("throttled");
    this.#rearm();
    this.signal("wake");
  }

  prerender(): void {
    this.prerendering = true;
    this.#stop("prerendering");
  }

  activate(): void {
    this.prerendering = false;
    this.#go("prerendering");
  }

  /** Told first, as on the way into the back/forward cache, or without a word. */
  freeze(told: boolean): void {
    this.#told = told;
    if (told) this.tab.hide();
    this.tab.freeze();
    this.#stop("frozen");
  }

  thaw(): void {
    if (this.tab.dead || !this.tab.frozen) return;
    this.#go("frozen");
    this.tab.thaw();
    if (this.#told) this.signal("show");
  }

  /** With the whole device. */
  fallAsleep(): void {
    this.#stop("asleep");
  }

  wakeUp(): void {
    this.#go("asleep");
  }

  /** A page that is busy hears of it later. */
  signal(signal: PageSignal): void {
    this.tab.post("signal", 0, () => this.tab.signal(signal));
  }

  close(): void {
    if (this.runs) this.tab.close();
    else this.tab.crash();
  }

  block(milliseconds: number): void {
    this.tab.block(milliseconds);
    this.#stop("blocked");
    this.#blocks += 1;
    this.#clock.after(milliseconds, () => {
      this.#blocks -= 1;
      if (this.#blocks === 0) this.#go("blocked");
    });
  }

  #stop(reason: string): void {
    if (this.#idle.size === 0) this.#idleSince = this.#clock.monotonic();
    this.#idle.add(reason);
    this.interruptions += 1;
  }

  #go(reason: string): void {
    if (!this.#idle.delete(reason)) return;
    if (this.#idle.size === 0) this.#idleTime += this.#clock.monotonic() - this.#idleSince;
  }

  #setTimeout(callback: () => void, milliseconds: number): PageTimer {
    const timer: PageTimer = {
      callback: () => {
        this.#timers.delete(timer);
        callback();
      },
      due: this.#clock.monotonic() + milliseconds,
      task: undefined as unknown as Task,
    };
    timer.task = this.tab.setTimeout(timer.callback, milliseconds);
    if (!this.tab.dead) this.#timers.add(timer);
    return timer;
  }

  #clearTimeout(timer: PageTimer | undefined): void {
    if (!timer) return;
    this.tab.clearTimeout(timer.task);
    this.#timers.delete(timer);
  }

  /** The timers that are set already follow the page's new pace. */
  #rearm(): void {
    for (const timer of this.#timers) {
      this.tab.clearTimeout(timer.task);
      timer.task = this.tab.setTimeout(timer.callback, Math.max(0, timer.due - this.#clock.monotonic()));
    }
  }
}
