/** What has been learnt from an attempt that failed. */
export interface FailedAttempt {
  /** 1 for the first since the last success. */
  attempt: number;
  /** Milliseconds that the token is still valid; not positive when it has expired, undefined when nobody knows. */
  validity: number | undefined;
  /** Milliseconds that a token lives. */
  lifetime: number | undefined;
  /** No answer came, for the first time since the last success: the request may have been carried out. */
  lost: boolean;
  /** Milliseconds the server asked to wait. */
  retryAfter: number | undefined;
}

const SHORTEST = 5000;
const LONGEST = 120_000;

/**
 * Milliseconds until the scheduler tries again.
 *
 * A lost answer is tried again soon, once: the grace period of a server that has one is short. Else, while the token is valid there is
 * no hurry: somewhere in the middle of what is left. Once it has expired: full jitter up to a cap, so that a fleet which comes back
 * after an outage does not come back at once.
 */
export function retryDelay({ attempt, validity, lifetime, lost, retryAfter }: FailedAttempt, random: () => number): number {
  if (retryAfter !== undefined) return retryAfter + random() * Math.min(retryAfter * 0.1, SHORTEST);
  const unit = Math.min(SHORTEST, (lifetime ?? LONGEST) / 4);
  if (lost) return Math.min(1000, unit) * (1 + random());
  if (validity !== undefined && validity > 2 * unit) return validity * (0.25 + 0.5 * random());
  return unit + random() * (Math.min(LONGEST, unit * 2 ** Math.min(attempt, 10)) - unit);
}

/** Milliseconds after a failed attempt in which a call that needs a token does not cause another one. */
export function demandDelay(attempt: number, lifetime: number | undefined): number {
  return Math.min(30_000, Math.min(1000, (lifetime ?? SHORTEST) / 5) * 2 ** Math.min(attempt - 1, 10));
}
