import type { LedgerRecord } from "../record.js";

/** The time, the tab and the random numbers of a change. Each try of a transaction gets a new moment. */
export interface Moment {
  /** Epoch milliseconds on the shared clock. */
  readonly now: number;
  /** The same instant on this device's clock, in epoch milliseconds. */
  readonly deviceNow: number;
  /** This tab's monotonic clock, in milliseconds. It never jumps. */
  readonly monotonic: number;
  readonly tab: string;
  /** The record is this tab's own copy, and not what the shared ledger holds. */
  readonly alone: boolean;
  /** The record in storage, if the mark of a sign-out ends it. */
  readonly replaced?: LedgerRecord | undefined;
  readonly random: () => number;
}

/** The change that a transition makes to the record. */
export interface Change {
  /** Undefined leaves the record as it is. */
  readonly next?: LedgerRecord | undefined;
  /** Problems for the developer. The ledger reports each problem once. */
  readonly problems?: readonly string[] | undefined;
}

/** A change, and its outcome for the caller. An outcome of undefined may be left out. */
export type Step<Outcome = void> = Change &
  ([undefined] extends [Outcome] ? { readonly outcome?: Outcome } : { readonly outcome: Outcome });

/** One change of the record. It is a pure function, since a transaction may be tried several times, and its last try counts. */
export type Transition<Outcome = void> = (known: LedgerRecord | undefined, moment: Moment) => Step<Outcome>;

/** Leaves the record as it is. */
export const noChange: Transition = () => ({});
