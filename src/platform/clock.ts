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
  /**
   * Another tab has just said that it is `instant`, and this one is ahead: its clock was set to and fro, or it is wrong. Only ever back: what
   * anybody can say must not make tokens look old. A message that was late makes one look young, which a 401 puts right.
   */
  retreat(instant: number): void;
  /** The same instant on this device's clock. */
  toDevice(instant: number): number;
}

const GRANULARITY = 1000;
/** What a message may take. */
const DELIVERY = 10_000;

export function createClock(environment: Environment): SharedClock {
  let wall = environment.now();
  let monotonic = environment.monotonic();
  let offset = 0;
  /** When this tab last did not look at the clock for a while: asleep, frozen, or with nothing to do. */
  let absentFrom = 0;
  let absentTo = 0;
  /** When another tab was last heard, and by how much this one was ahead of it then. */
  let heardAt = 0;
  let heardAhead = 0;

  function now(): number {
    const before = wall + offset;
    const nextWall = environment.now();
    const nextMonotonic = environment.monotonic();
    const behind = nextMonotonic - monotonic - (nextWall - wall);
    if (behind > GRANULARITY) offset += behind;
    wall = nextWall;
    monotonic = nextMonotonic;
    const instant = wall + offset;
    // A clock that is turned back was perhaps only set forward before: that was no absence.
    if (behind > GRANULARITY) absentTo = 0;
    else if (instant - before > DELIVERY) {
      absentFrom = before;
      absentTo = instant;
    }
    return instant;
  }

  return {
    now,
    reach(instant) {
      // First: it may move the offset itself, and `+=` would have read it before.
      const behind = instant - now();
      if (behind > 0) offset += behind;
    },
    retreat(instant) {
      const own = now();
      const ahead = own - instant;
      // What was said while this tab was absent comes when it is back: it is late, and no evidence.
      const late = own - absentTo < DELIVERY && instant > absentFrom - DELIVERY;
      // That comes all at once, though: what came apart, and lags alike, was on time. A tab with nothing to do was not away.
      const steady = own - heardAt > GRANULARITY && Math.abs(ahead - heardAhead) < GRANULARITY;
      heardAt = own;
      heardAhead = ahead;
      if (ahead > DELIVERY && (steady || !late)) offset -= ahead;
    },
    toDevice: (instant) => instant - offset,
  };
}
