import type { Clock } from "./clock.js";

/** Delivers in the order of sending, even when a later delay is shorter. */
export class Wire {
  #clock: Clock;
  #last = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The delay of the next delivery, in milliseconds. It is longer than `wanted` when the delivery would overtake the one before. */
  delay(wanted: number): number {
    const now = this.#clock.monotonic();
    this.#last = Math.max(this.#last, now + wanted);
    return this.#last - now;
  }

  /** Runs a task of the browser itself. No code of a page may run in it. */
  send(delay: number, run: () => void): void {
    this.#clock.between(this.delay(delay), run);
  }
}
