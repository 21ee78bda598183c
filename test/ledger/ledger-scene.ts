import { createLedger, type Ledger, type LedgerChange, type LedgerParts } from "../../src/ledger/ledger.js";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { noChange, type Transition } from "../../src/ledger/transitions/index.js";
import { createClock } from "../../src/platform/clock.js";
import { createWaits } from "../../src/platform/timers.js";
import { type Lacks, World, type WorldOptions, type WorldTab } from "../../src/testing/world.js";
import type { Environment } from "../../src/types/environment.js";
import { FakeStore } from "./fake-store.js";
import { record } from "./records.js";

/** Undefined from `change` leaves the record as it is. */
export const writes =
  (change: (known: LedgerRecord | undefined) => LedgerRecord | undefined): Transition<void> =>
  (known) => ({ next: change(known), outcome: undefined });

export const puts = (changes: Partial<LedgerRecord> = {}) => writes(() => record(changes));

interface Opened {
  readonly environment: Environment;
  readonly tab: string;
  readonly limitReached?: LedgerParts["limitReached"];
  readonly dpop?: boolean;
  readonly kept?: boolean;
}

/** A ledger, and what it tells. */
export function openLedger({ environment, tab, limitReached = () => undefined, dpop = false, kept = false }: Opened) {
  const seen: LedgerChange[] = [];
  const warnings: string[] = [];
  const waits = createWaits(environment);
  const clock = createClock(environment);
  const ledger = createLedger({
    ...{ environment, tab, clock, waits, limitReached, key: "ledger", reads: { bound: dpop, kept } },
    changed: (change) => seen.push(change),
    warnOnce: (problem) => warnings.push(problem),
  });
  return { ledger, seen, warnings, waits, clock };
}

/** A world, and tabs that open the ledger in it. */
export function setUp(lacks: Lacks = {}, options: WorldOptions = {}) {
  const world = new World(options);
  const open = (tab: WorldTab = world.tab(undefined, lacks)) => ({
    ...openLedger({ environment: tab.environment, tab: tab.name }),
    tab,
  });
  const write = (ledger: Ledger, changes: Partial<LedgerRecord> = {}) => world.clock.until(ledger.apply(puts(changes)));
  /** What a transaction finds. */
  const found = async (ledger: Ledger) => (await world.clock.until(ledger.apply(noChange))).record;
  return { world, open, write, found };
}

/** A ledger whose storage answers when, and as, the test says. */
export function setUpStore(options: Omit<Partial<Opened>, "environment"> = {}) {
  const world = new World();
  const store = new FakeStore();
  const tab = world.tab();
  const opened = openLedger({ environment: { ...tab.environment, openStore: () => store }, tab: tab.name, ...options });
  return { ...opened, world, store, tab };
}

/** A ledger with a record in storage. */
export async function stored(options?: Parameters<typeof setUpStore>[0], changes?: Partial<LedgerRecord>) {
  const scene = setUpStore(options);
  const written = scene.ledger.apply(puts(changes));
  scene.store.answers();
  await written;
  scene.seen.length = 0;
  return scene;
}
