import type { Environment } from "../../../src/types/environment.js";
import type { App } from "../app.js";
import type { Browser } from "../browser.js";
import type { Dice, Kind, Plan } from "../plan.js";
import type { Page } from "../platform/page.js";
import type { Fault, FaultParts, Opened } from "./fault.js";
import { StoreGate } from "./gate.js";
import { FAULT_KINDS, type FaultKind } from "./kinds.js";
import { Prerender } from "./prerender.js";
import { ReturnAndCall } from "./return-and-call.js";
import { SignOutAndLeave } from "./sign-out-and-leave.js";
import { SlowOpening } from "./slow-opening.js";
import { StorageHangs } from "./storage-hangs.js";

const MAKERS: Record<FaultKind, (parts: FaultParts) => Fault> = {
  "slow-opening": (parts) => new SlowOpening(parts, false),
  "slow-opening-asleep": (parts) => new SlowOpening(parts, true),
  "storage-hangs": (parts) => new StorageHangs(parts),
  "sign-out-and-leave": (parts) => new SignOutAndLeave(parts),
  "return-and-call": (parts) => new ReturnAndCall(parts),
  prerender: (parts) => new Prerender(parts),
};

/** The faults of a seed that have a file of their own. */
export class Faults {
  readonly #faults = new Map<Kind, Fault>();
  readonly #gates = new Map<Page, StoreGate>();
  readonly #browser: Browser;

  constructor(browser: Browser, plan: Plan, dice: Dice) {
    this.#browser = browser;
    const parts: FaultParts = { browser, plan, dice, gateOf: (page) => this.#gateOf(page) };
    for (const kind of FAULT_KINDS) if (plan.kinds.has(kind)) this.#faults.set(kind, MAKERS[kind](parts));
  }

  /** What a session gets of its page. */
  environment(opened: Opened, environment: Environment): Environment {
    for (const fault of this.#faults.values()) fault.opens?.(opened, environment);
    return environment;
  }

  /** The store of a session, which may hang where there is such a fault. */
  openStore(opened: Opened): Environment["openStore"] {
    const { openStore } = opened.page.environment;
    if (!openStore || this.#faults.size === 0) return openStore;
    const heard = [...this.#faults.values()].flatMap((fault) => fault.onUse?.(opened) ?? []);
    const onUse = () => {
      const answered = heard.map((hear) => hear());
      return () => {
        for (const tell of answered) tell();
      };
    };
    return (name) => this.#gateOf(opened.page).open(openStore(name), onUse);
  }

  started(app: App): void {
    for (const fault of this.#faults.values()) fault.started?.(app);
  }

  /** Whether the storage of a page does not answer now. */
  hangs(page: Page): boolean {
    return this.#gates.get(page)?.hangs ?? false;
  }

  happen(kind: Kind, page: Page): boolean {
    return this.#faults.get(kind)?.happen(page) ?? false;
  }

  end(): void {
    for (const gate of this.#gates.values()) gate.end();
    for (const fault of this.#faults.values()) fault.end?.();
  }

  finish(): void {
    for (const fault of this.#faults.values()) fault.finish?.();
  }

  #gateOf(page: Page): StoreGate {
    const gate = this.#gates.get(page) ?? new StoreGate(page, this.#browser.clock);
    this.#gates.set(page, gate);
    return gate;
  }
}
