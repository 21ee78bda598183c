import type { PageSignal } from "../platform/environment.js";
import type { Clock } from "./clock.js";

/** Where a task comes from. Each source keeps its own order; late tasks of different sources may come in any order. */
export type Source = "timer" | "message" | "lock" | "store" | "network" | "signal";

export interface Task {
  readonly source: Source;
  readonly run: () => void;
  cancelled: boolean;
  /** Its way to the page. */
  arrival?: { cancelled: boolean };
}

/** In which order a tab that stood still catches up: as it came due, or one source before the others. */
export type CatchUp = "as-due" | "timers-first" | "timers-last";

/** setTimeout's delay is a signed 32-bit integer; what does not fit fires at once. */
const LONGEST_TIMEOUT = 0x7fff_ffff;

/** The event loop of one page: everything that reaches the page is a task, and a page that stands still gets its tasks late. */
export class Tab {
  readonly name: string;
  readonly timers = new Set<Task>();
  readonly listeners = new Set<(signal: PageSignal) => void>();
  /** Who hears that somebody is active. */
  readonly activityListeners = new Set<() => void>();
  /** Nobody can see it. */
  hidden = false;
  /** What `report` was called with. */
  readonly reports: { message: string; error: unknown }[] = [];
  /** Cut from the network, for this tab alone. */
  offline = false;
  catchUp: CatchUp = "as-due";
  /** Timers come due only at multiples of this, as in a hidden page. */
  timerGrid = 0;
  /** Called when the tab ends, by whoever keeps something for it. */
  readonly onDeath: (() => void)[] = [];
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

  /** Brings a task to this page after a delay. */
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

  /** The user moves the mouse, presses a key, or scrolls. */
  activity(): void {
    if (this.#dead || this.#frozen) return;
    for (const listener of [...this.activityListeners]) listener();
  }

  /** `pagehide`: the page is leaving, or goes to the background for good. */
  hide(): void {
    this.signal("hide");
  }

  /** `pageshow`, or resumed. */
  show(): void {
    this.signal("show");
  }

  /** Into the back/forward cache: told, then standing still. */
  enterCache(): void {
    this.hide();
    this.freeze();
  }

  leaveCache(): void {
    this.thaw();
    this.show();
  }

  /** No timer, message or answer gets through until `thaw`; then they come late. */
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

  /** The main thread is busy for so long. */
  block(milliseconds: number): void {
    this.#busyUntil = Math.max(this.#busyUntil, this.#clock.monotonic() + milliseconds);
    this.#clock.after(this.#busyUntil - this.#clock.monotonic(), () => this.#drain());
  }

  /** The user closes the tab: the page is told, then nothing of it runs any more. Its requests still reach the server. */
  close(): void {
    this.hide();
    this.crash();
  }

  /** As `close`, without a word. */
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
