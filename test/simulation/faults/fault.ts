import type { Environment } from "../../../src/types/environment.js";
import type { App } from "../app.js";
import type { Browser } from "../browser.js";
import type { Dice, Plan } from "../plan.js";
import type { Page } from "../platform/page.js";
import type { OnUse, StoreGate } from "./gate.js";

/** A session, before it has an app: its page, and the name that it gives itself. */
export interface Opened {
  readonly page: Page;
  /** The name in the ledger. It is empty before the session draws it. */
  name(): string;
}

export interface FaultParts {
  readonly browser: Browser;
  readonly plan: Plan;
  readonly dice: Dice;
  /** The way of a page to its storage. */
  gateOf(page: Page): StoreGate;
}

/** One kind of fault, with the rule that holds under it. */
export interface Fault {
  /** Makes the fault happen to a page, or to another one in its place. Returns whether it did. */
  happen(page: Page): boolean;
  /** A page makes a session. The fault may change members of its environment. */
  opens?(opened: Opened, environment: Environment): void;
  /** Hears of each use of the store of a session. */
  onUse?(opened: Opened): OnUse;
  /** The session of an app is there. */
  started?(app: App): void;
  /** Faults stop. */
  end?(): void;
  /** The end of the run. */
  finish?(): void;
}
