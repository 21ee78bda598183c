import type { Clock } from "./clock.js";

/** Delivers in the order of sending, whatever the single delays are. */
export class Wire {
  #clock: Clock;
  #last = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long the next delivery takes, so that it does not overtake the former one. */
  delay(wanted: number): number {
    const now = this.#clock.monotonic();
    this.#last = Math.max(this.#last, now + wanted);
    return this.#last - now;
  }

  /** `run`: nothing of a page. */
  send(delay: number, run: () => void): void {
    this.#clock.between(this.delay(delay), run);
  }
}
