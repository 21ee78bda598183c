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
/** Between two attempts without a valid token, on average. Fleets set it: see docs/decisions/0004. */
const PAUSE = 105_000;
const LONGEST = 300_000;
/** Of the pause for somebody who waits. */
const LONGEST_DEMANDED = 60_000;

/**
 * Milliseconds until the scheduler tries again.
 *
 * A lost answer is tried again soon, once: the grace period of a server that has one is short. Else there is no hurry while the token is
 * valid, and one attempt shortly before it expires is the one that most likely meets a server which is back. Once it has expired, the pauses
 * are long enough for a whole fleet that waits, and grow when the outage does: who needs a token meanwhile asks for it, see `demandDelay`.
 */
export function retryDelay({ attempt, validity, lifetime, lost, retryAfter }: FailedAttempt, random: () => number): number {
  if (retryAfter !== undefined) return retryAfter + random() * Math.min(retryAfter * 0.1, SHORTEST);
  const quarter = (lifetime ?? Infinity) / 4;
  const pause = Math.min(PAUSE, quarter);
  if (lost) return Math.min(1000, pause) * (1 + random());
  if (validity !== undefined && validity > pause) return validity * (0.88 + 0.09 * random());
  // Nothing has failed while it was valid: the device slept, and the network may only be waking up.
  if (attempt === 1 && validity !== undefined && validity <= 0) return Math.min(SHORTEST, pause) * (1 + random());
  return Math.max(pause, Math.min(-(validity ?? 0) / 2, quarter, LONGEST)) * (0.7 + 0.6 * random());
}

/**
 * Milliseconds after a failed attempt in which a call that needs a token does not cause another one: short at first, so that a call after
 * one 503 gets its token; then up to a minute, or the apps of a fleet would keep a struggling server down.
 */
export function demandDelay(attempt: number, lifetime: number | undefined): number {
  return Math.min(LONGEST_DEMANDED, Math.min(1000, (lifetime ?? SHORTEST) / 5) * 4 ** Math.min(attempt - 1, 10));
}
