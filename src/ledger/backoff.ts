/** Whether no attempt can renew any more after an error with this code. */
export const isFinal = (code: string | undefined): boolean => code === "rejected" || code === "credential-lost";

/** A failed attempt: the facts on which the next pause depends. See docs/decisions/0004-pace-for-a-fleet.md. */
export interface FailedAttempt {
  /** The number of attempts since the last success, from 1. */
  attempt: number;
  /** The milliseconds for which the token is still valid. Not positive after its expiry; undefined when unknown. */
  validity: number | undefined;
  /** The lifetime of the token in milliseconds. */
  lifetime: number | undefined;
  /** No answer came, for the first time since the last success. The server may have processed the request. */
  lost: boolean;
  /** The milliseconds that the server asked to wait. */
  retryAfter: number | undefined;
  /** The number of answers in a row that were neither tokens nor a refusal. @default 0 */
  odd?: number | undefined;
}

/** A shorter wait that the server asks for does not replace the usual pause. */
const SHORTEST_MS = 5000;
/** The mean pause between two attempts without a valid token. The load of a fleet determines it. */
const PAUSE_MS = 105_000;
const LONGEST_MS = 300_000;
/** So many answers in a row that are neither tokens nor a refusal come from a wrong set-up, which does not mend itself. */
export const ODD = 10;
/** The longest pause after which a call may cause an attempt. */
const LONGEST_DEMANDED_MS = 60_000;

/**
 * Returns the milliseconds until the scheduler tries again. They are the wait that the server asked for if that is 5 s or more; otherwise they
 * are the usual pause. From the tenth odd answer in a row on, the pauses double, up to an hour.
 */
export function retryDelay(failed: FailedAttempt, random: () => number): number {
  const { retryAfter = 0, odd = 0 } = failed;
  if (retryAfter >= SHORTEST_MS) return retryAfter + random() * Math.min(retryAfter * 0.1, SHORTEST_MS);
  const usual = usualDelay(failed, random);
  return Math.max(retryAfter, usual, Math.min(usual * 2 ** (odd + 1 - ODD), 12 * LONGEST_MS));
}

/**
 * After a lost answer, the scheduler tries again soon, once, since the grace period of a server is short. Otherwise, while the token is valid,
 * the scheduler tries once more, shortly before expiry: then the server is most likely back. After expiry, the pauses are long enough for a
 * waiting fleet, and grow with the outage. A call that needs a token does not wait for them: see `demandDelay`.
 */
function usualDelay({ attempt, validity = NaN, lifetime = Infinity, lost }: FailedAttempt, random: () => number): number {
  const quarter = lifetime / 4;
  const pause = Math.min(PAUSE_MS, quarter);
  if (lost) return Math.min(1000, pause) * (1 + random());
  if (validity > pause) return validity * (0.88 + 0.09 * random());
  // The token expired without a failed attempt before. So the device slept, and the network may not be back yet.
  if (attempt === 1 && validity <= 0) return Math.min(SHORTEST_MS, pause) * (1 + random());
  return Math.max(pause, Math.min(-(validity || 0) / 2, quarter, LONGEST_MS)) * (0.7 + 0.6 * random());
}

/**
 * Returns the milliseconds after a failed attempt in which a call causes no other attempt. They are few at first, so that a call after one 503
 * gets its token. They grow to a minute, since the calls of a fleet could keep a struggling server down.
 */
export function demandDelay(attempt: number, lifetime: number | undefined): number {
  return Math.min(LONGEST_DEMANDED_MS, Math.min(1000, (lifetime ?? SHORTEST_MS) / 5) * 4 ** (attempt - 1));
}
