import type { Ledger } from "../ledger/ledger.js";
import { noChange } from "../ledger/transitions/index.js";
import type { Limits } from "./limits.js";

/** The limits of a session without a limit. */
export const unlimited = (ledger: () => Ledger): Limits => ({
  endsAt: () => Infinity,
  reached: () => undefined,
  enforce: (transition = noChange) => ledger().apply(transition),
});
