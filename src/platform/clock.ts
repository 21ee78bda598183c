import type { Environment } from "./environment.js";

/**
 * The time that the tabs of a session share. It follows the wall clock, so that sleep counts, but never back: when the wall clock
 * is turned back it goes on by the monotonic one, or a token would look fresh for hours after it died.
 */
export interface SharedClock {
  /** Epoch milliseconds, as the tab that wrote the ledger last counts them. */
  now(): number;
  /**
   * The ledger says that it was later already: the clock was turned back since, or this one is behind another tab's. All go by the one that
   * is ahead, and so agree on what is due.
   */
  reach(instant: number): void;
  /** The same instant on this device's clock. */
  toDevice(instant: number): number;
}

const GRANULARITY = 1000;

export function createClock(environment: Environment): SharedClock {
  let wall = environment.now();
  let monotonic = environment.monotonic();
  let offset = 0;
  function now(): number {
    const nextWall = environment.now();
    const nextMonotonic = environment.monotonic();
    const behind = nextMonotonic - monotonic - (nextWall - wall);
    if (behind > GRANULARITY) offset += behind;
    wall = nextWall;
    monotonic = nextMonotonic;
    return wall + offset;
  }
  return {
    now,
    reach(instant) {
      offset += Math.max(0, instant - now());
    },
    toDevice: (instant) => instant - offset,
  };
}
