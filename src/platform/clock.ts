import type { Environment } from "../types/environment.js";

/**
 * The clock that the tabs of a session share. It follows the wall clock, so that sleep counts, but it never runs back. When the user turns the
 * wall clock back, the shared clock goes on by the monotonic clock. Otherwise a token would look fresh for hours after its expiry.
 * See docs/decisions/0003-one-clock-for-all-tabs.md.
 */
export interface SharedClock {
  /** Returns epoch milliseconds, as the tab counts them that wrote the ledger last. */
  now(): number;
  /**
   * Moves this clock forward to an instant of the ledger. The user turned the clock back since, or this clock is behind another tab's. All
   * tabs follow the clock that is ahead, and so agree on the moment of a refresh.
   */
  reach(instant: number): void;
  /**
   * Moves this clock back to `instant`, the time of a commit that another tab has just announced. This clock is ahead because the user set it
   * forward and back, or because it is wrong. In a tab with storage, no message moves the clock forward: any script of the origin could make
   * tokens look expired. Without storage, a message moves it to a minute ahead of this device's clock at most. A late message makes a token look younger than it is, and a 401 corrects that.
   */
  retreat(instant: number): void;
  /** The same instant on this device's clock, in whole milliseconds. Null where there is none. */
  toDevice(instant: number): number;
  toDevice(instant: number | null): number | null;
}

/** Two readings of the clocks that differ by less are equal. */
const GRANULARITY_MS = 1000;
/** The longest time that a message may take. */
const DELIVERY_MS = 10_000;

export function createClock(environment: Environment): SharedClock {
  let last = { wall: environment.now(), monotonic: environment.monotonic() };
  let offset = 0;
  /** The last period in which this tab did not read the clock: it was asleep or frozen, or had nothing to do. */
  let absent = { from: 0, to: 0 };
  /** The time of the last message of another tab, and the milliseconds by which this clock was ahead of it. */
  let heard = { at: 0, ahead: 0 };

  function now(): number {
    const before = last.wall + offset;
    const next = { wall: environment.now(), monotonic: environment.monotonic() };
    const behind = next.monotonic - last.monotonic - (next.wall - last.wall);
    if (behind > GRANULARITY_MS) offset += behind;
    last = next;
    const instant = next.wall + offset;
    // A clock that is turned back was perhaps set forward before, so the last period was no absence.
    if (behind > GRANULARITY_MS) absent = { from: 0, to: 0 };
    else if (instant - before > DELIVERY_MS) absent = { from: before, to: instant };
    return instant;
  }

  return {
    now,
    reach(instant) {
      // `now()` may move the offset, and `offset += instant - now()` would read the offset first.
      const behind = instant - now();
      if (behind > 0) offset += behind;
    },
    retreat(instant) {
      const own = now();
      const ahead = own - instant;
      // A message from the time of this tab's absence comes late, and proves nothing about the clock.
      const late = own - absent.to < DELIVERY_MS && instant > absent.from - DELIVERY_MS;
      // Late messages come all at once. Two messages that come apart and lag alike were on time: the tab was idle, not absent.
      const steady = own - heard.at > GRANULARITY_MS && Math.abs(ahead - heard.ahead) < GRANULARITY_MS;
      heard = { at: own, ahead };
      if (ahead > DELIVERY_MS && (steady || !late)) offset -= ahead;
    },
    toDevice: ((instant: number | null) => instant && Math.round(instant - offset)) as SharedClock["toDevice"],
  };
}
