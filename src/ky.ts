import ky, { type KyInstance, type Options } from "ky";
import type { Session } from "./types.js";

/**
 * A ky instance whose requests go through `session.fetch`, for ky 1 and 2. ky's `timeout` (10 s unless told otherwise) counts the wait for a
 * refresh as well. ky's own retries are for what a new token does not mend, and are left as they are.
 */
export function createKy(session: Pick<Session, "fetch">, options: Omit<Options, "fetch"> = {}): KyInstance {
  return ky.create({ ...options, fetch: session.fetch });
}
