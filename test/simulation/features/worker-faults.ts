import type { Tab } from "../../../src/testing/tab.js";
import type { Browser } from "../browser.js";
import type { Dice } from "../plan.js";
import type { Page } from "../platform/page.js";
import type { WorkerLog } from "./worker-log.js";

interface WorkerFaultParts {
  readonly browser: Browser;
  readonly dice: Dice;
  readonly log: WorkerLog;
  /** Ends all workers, and leaves their tabs alive. */
  readonly lose: (() => void) | undefined;
}

/** What happens to workers: they are lost or stand still, now and then and at telling moments, and tabs end while they work. */
export class WorkerFaults {
  readonly #parts: WorkerFaultParts;
  readonly #workers = new Set<Tab>();
  /** How likely the workers are lost at a telling moment, and how likely they stand still. */
  readonly #losses: number;
  readonly #standstills: number;

  constructor(parts: WorkerFaultParts) {
    this.#parts = parts;
    this.#losses = parts.dice.bool(0.5) && parts.lose ? 0.02 : 0;
    this.#standstills = parts.dice.bool(0.5) ? 0.03 : 0;
  }

  begin(worker: Tab): void {
    const { browser, dice, log } = this.#parts;
    worker.catchUp = dice.pick(["as-due", "timers-first", "timers-last"]);
    worker.onDeath.push(() => {
      browser.log(worker.name, "ends");
      this.#workers.delete(worker);
      log.end(worker);
    });
    this.#workers.add(worker);
  }

  happen(): void {
    if (this.#losses > 0 && this.#parts.dice.bool(0.5)) this.#lose();
    else if (this.#standstills > 0) this.standStill();
  }

  #lose(): void {
    const { browser, lose } = this.#parts;
    if (browser.calm || this.#workers.size === 0) return;
    browser.log("worker", "is lost");
    lose?.();
  }

  standStill(): void {
    const { browser, dice, log } = this.#parts;
    if (browser.calm) return;
    for (const worker of this.#workers) {
      const milliseconds = dice.skewed(50, 40_000);
      browser.log(worker.name, `stands still for ${milliseconds} ms`);
      worker.block(milliseconds);
      log.standsStill(worker, browser.clock.monotonic() + milliseconds);
    }
  }

  /** At a telling moment. */
  strike(): void {
    const { browser, dice } = this.#parts;
    const later = () => (dice.bool(0.5) ? 0 : dice.skewed(0, 500));
    if (dice.bool(this.#losses)) browser.clock.after(later(), () => this.#lose());
    if (dice.bool(this.#standstills)) browser.clock.after(later(), () => this.standStill());
  }

  /** A tab ends before it has stored the handle for which it gave the stored refresh token. */
  crash({ name, tab }: Page): void {
    const { browser, dice } = this.#parts;
    browser.clock.after(dice.skewed(0, 2_000), () => {
      if (browser.calm || tab.dead || browser.living().length < 2) return;
      browser.log(name, "crashes, and its worker goes on");
      tab.crash();
    });
  }
}
