/** Older entries of the log are dropped. */
const LOG_LENGTH = 500;

const zero = { refreshes: 0, attempts: 0, reused: 0, revoked: 0, apiOk: 0, apiUnauthorized: 0 };

/**
 * @typedef {object} LogEntry
 * @property {number} at epoch milliseconds
 * @property {string} kind
 * @property {number | undefined} session which sign-in it was about, counted from 1
 *
 * @typedef {object} Stats what the server counted; no token is in it
 * @property {number} refreshes successful refresh grants
 * @property {number} attempts refresh grants asked for, whatever became of them
 * @property {number} reused refresh tokens presented that had been used before
 * @property {number} revoked grants revoked, by reuse detection, by the client or by an administrator
 * @property {number} apiOk
 * @property {number} apiUnauthorized
 * @property {LogEntry[]} events
 * @property {(kind: string, grantId?: string) => void} log
 * @property {() => void} reset
 */

/** @returns {Stats} */
export function createStats() {
  /**
   * The grants' ids stay inside; the log shows their number.
   * @type {Map<string, number>}
   */
  const sessions = new Map();
  const numberOf = (/** @type {string} */ grantId) => {
    if (!sessions.has(grantId)) sessions.set(grantId, sessions.size + 1);
    return sessions.get(grantId);
  };
  const stats = {
    ...zero,
    /** @type {LogEntry[]} */
    events: [],
    /**
     * @param {string} kind
     * @param {string} [grantId]
     */
    log(kind, grantId) {
      stats.events.push({ at: Date.now(), kind, session: grantId === undefined ? undefined : numberOf(grantId) });
      if (stats.events.length > LOG_LENGTH) stats.events.shift();
    },
    reset() {
      Object.assign(stats, zero);
      stats.events.length = 0;
    },
  };
  return stats;
}
