import type { PageSignal } from "../types/environment.js";
import type { Clock } from "./clock.js";
import type { WorldTab } from "./public.js";

/** Where a task comes from. Tasks of one source keep their order; late tasks of different sources may run in any order. */
export type Source = "timer" | "message" | "lock" | "store" | "network" | "signal";

export interface Task {
  readonly source: Source;
  readonly run: () => void;
  cancelled: boolean;
  /** The task's entry in the clock, until the task reaches the page. */
  arrival?: { cancelled: boolean };
}

/** The order in which a tab runs its late tasks: in the order of their instants, or the timers before or after the other tasks. */
export type CatchUp = "as-due" | "timers-first" | "timers-last";

/** The delay of `setTimeout` is a signed integer of 32 bits. A longer delay counts as 0. */
const LONGEST_TIMEOUT = 0x7fff_ffff;

/** One page with its event loop. A frozen or blocked page runs its tasks late. */
export class Tab implements Omit<WorldTab, "environment"> {
  readonly name: string;
  readonly timers = new Set<Task>();
  readonly listeners = new Set<(signal: PageSignal) => void>();
  /** Listeners that are called when the user is active. */
  readonly activityListeners = new Set<() => void>();
  hidden = false;
  prerendering = false;
  readonly reports: { message: string; error: unknown }[] = [];
  offline = false;
  /** The order in which the tab runs late tasks. */
  catchUp: CatchUp = "as-due";
  /** Milliseconds. Timers fire only at multiples of this number, as in a hidden page. @default 0: at any instant */
  timerGrid = 0;
  /** Called when the tab is closed or crashes. */
  readonly onDeath: (() => void)[] = [];
  /** Called when the tab is frozen. */
  readonly onFreeze: (() => void)[] = [];

  #clock: Clock;
  #dead = false;
  #frozen = false;
  #busyUntil = Number.NEGATIVE_INFINITY;
  #backlog: Task[] = [];

  constructor(clock: Clock, name: string) {
    this.#clock = clock;
    this.name = name;
  }

  get dead(): boolean {
    return this.#dead;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** Runs a task in this page after a delay, in milliseconds. */
  post(source: Source, delay: number, run: () => void): Task {
    const task: Task = { source, run, cancelled: false };
    task.arrival = this.#clock.after(delay, () => this.#arrive(task));
    return task;
  }

  setTimeout(callback: () => void, milliseconds: number): Task {
    const whole = Number.isFinite(milliseconds) ? Math.trunc(milliseconds) : 0;
    let delay = whole > LONGEST_TIMEOUT || whole < 0 ? 0 : whole;
    if (this.timerGrid > 0) {
      const due = this.#clock.monotonic() + delay;
      delay = Math.ceil(due / this.timerGrid) * this.timerGrid - this.#clock.monotonic();
    }
    if (this.#dead) return { source: "timer", run: callback, cancelled: true };
    const task = this.post("timer", delay, () => {
      this.timers.delete(task);
      callback();
    });
    this.timers.add(task);
    return task;
  }

  clearTimeout(task: Task | undefined): void {
    if (!task) return;
    task.cancelled = true;
    if (task.arrival) task.arrival.cancelled = true;
    this.timers.delete(task);
  }

  signal(signal: PageSignal): void {
    if (this.#dead) return;
    for (const listener of [...this.listeners]) listener(signal);
  }

  activity(): void {
    if (this.#dead || this.#frozen) return;
    for (const listener of [...this.activityListeners]) listener();
  }

  hide(): void {
    this.signal("hide");
  }

  show(): void {
    this.signal("show");
  }

  activate(): void {
    this.prerendering = false;
    this.signal("activate");
  }

  enterCache(): void {
    this.hide();
    this.freeze();
  }

  leaveCache(): void {
    this.thaw();
    this.show();
  }

  freeze(): void {
    if (this.#dead) return;
    this.#frozen = true;
    for (const tell of this.onFreeze) tell();
  }

  thaw(): void {
    if (!this.#frozen) return;
    this.#frozen = false;
    this.#drain();
  }

  block(milliseconds: number): void {
    this.#busyUntil = Math.max(this.#busyUntil, this.#clock.monotonic() + milliseconds);
    this.#clock.after(this.#busyUntil - this.#clock.monotonic(), () => this.#drain());
  }

  close(): void {
    this.hide();
    this.crash();
  }

  crash(): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#backlog = [];
    this.timers.clear();
    for (const tell of this.onDeath) tell();
  }

  #standsStill(): boolean {
    return this.#frozen || this.#clock.monotonic() < this.#busyUntil;
  }

  #arrive(task: Task): void {
    if (this.#dead || task.cancelled) return;
    if (this.#standsStill()) this.#backlog.push(task);
    else task.run();
  }

  #drain(): void {
    if (this.#standsStill()) return;
    const late = this.#backlog;
    this.#backlog = [];
    if (this.catchUp !== "as-due") {
      const rank = (task: Task) => (task.source === "timer" ? 0 : 1) * (this.catchUp === "timers-first" ? 1 : -1);
      late.sort((one, other) => rank(one) - rank(other));
    }
    for (const task of late) this.#clock.after(0, () => this.#arrive(task));
  }
}
