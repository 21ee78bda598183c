import type { Environment } from "./environment.js";

/**
 * The time that the tabs of a session share. It follows the wall clock, so that sleep counts, but never back: when the wall clock
 * is turned back it goes on by the monotonic one, or a token would look fresh for hours after it died.
 */
export interface SharedClock {
  /** Epoch milliseconds, as the tab that wrote the ledger last counts them. */
  now(): number;
  /** Another tab says what time it is. Only a real difference counts: messages are late by a few milliseconds. */
  sync(instant: number): void;
}

const DELIVERY = 10_000;
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
    sync(instant) {
      const difference = instant - now();
      if (Math.abs(difference) > DELIVERY) offset += difference;
    },
  };
}
