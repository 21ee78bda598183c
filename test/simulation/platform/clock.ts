import { Clock } from "../../../src/testing/clock.js";

/**
 * The tests' clock, made fast: a turn of Node's event loop costs more than all that a task of the session does. Nothing in a simulation
 * needs a turn, since all its tasks come from this clock; promises do, and `nextTick` runs when all of them have settled.
 */
export class FastClock extends Clock {
  /** When faults stop, twenty tabs without storage may hear at one instant what they have told each other for minutes. */
  protected override readonly busyLimit = 300_000;
  /** How often the wall clock was set forward by a minute or more. No page can tell that from a sleep. */
  leaps = 0;

  override jump(milliseconds: number): void {
    if (milliseconds >= 60_000) this.leaps += 1;
    super.jump(milliseconds);
  }

  override settle(): Promise<void> {
    return new Promise((resolve) => process.nextTick(resolve));
  }
}
