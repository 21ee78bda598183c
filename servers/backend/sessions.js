import { createHash, randomBytes } from "node:crypto";
import { prepare } from "./database.js";
import { Refusal } from "./refusal.js";

const hashOf = (/** @type {string} */ value) => createHash("sha256").update(value).digest("base64url");

/**
 * @import { Database, Statement } from "better-sqlite3"
 * @import { Lifetimes } from "./index.js"
 *
 * @typedef {object} Session what one sign-in began; all that was renewed from it is one family
 * @property {string} id
 * @property {string} way
 * @property {number} signedInAt epoch milliseconds
 * @property {{ id: string, name: string, permissions: string[] }} user as it is now: whoever renews gets what changed since
 *
 * @typedef {object} UserRow
 * @property {string} id
 * @property {number} version
 *
 * @typedef {object} SessionRow with what is known of its user
 * @property {string} id
 * @property {string} way
 * @property {string} user_id
 * @property {number} user_version
 * @property {number} signed_in_at
 * @property {string | null} ended
 * @property {string} name
 * @property {string} permissions
 * @property {number} version
 *
 * @typedef {object} ValueRow
 * @property {string} hash
 * @property {string} session_id
 * @property {string | null} token_id
 * @property {number} expires_at
 * @property {number | null} used_at
 *
 * @typedef {object} Statements
 * @property {Statement<[id: string], UserRow>} user
 * @property {Statement<[id: string], SessionRow>} session
 * @property {Statement<[id: string, way: string, userId: string, version: number, now: number]>} addSession
 * @property {Statement<[why: string, id: string]>} endSession
 * @property {Statement<[userId: string | null, userId: string | null], { id: string }>} liveSessions
 * @property {Statement<[hash: string], ValueRow>} value
 * @property {Statement<[hash: string, sessionId: string, tokenId: string | null, expiresAt: number]>} addValue
 * @property {Statement<[now: number, hash: string]>} useValue
 * @property {Statement<[permissions: string, userId: string]>} setPermissions
 * @property {Statement<[userId: string]>} nextVersion
 */

/** Who is signed in, and the refresh values, of which only a hash is kept. Each can be used once; a used one that comes back ends its session. */
export class Sessions {
  #database;
  #lifetimes;
  #now;
  #stats;
  /** @type {Statements} */
  #sql;

  /** @param {{ database: Database, lifetimes: Lifetimes, now: () => number, stats: import("../stats.js").Stats }} parts */
  constructor({ database, lifetimes, now, stats }) {
    this.#database = database;
    this.#lifetimes = lifetimes;
    this.#now = now;
    this.#stats = stats;
    database.prepare("DELETE FROM refresh_values WHERE expires_at < ?").run(now());
    this.#sql = {
      user: prepare(database, "SELECT * FROM users WHERE id = ?"),
      session: prepare(
        database,
        `SELECT sessions.*, users.name, users.permissions, users.version
        FROM sessions JOIN users ON users.id = user_id WHERE sessions.id = ?`,
      ),
      addSession: prepare(database, "INSERT INTO sessions (id, way, user_id, user_version, signed_in_at) VALUES (?, ?, ?, ?, ?)"),
      endSession: prepare(database, "UPDATE sessions SET ended = ? WHERE id = ? AND ended IS NULL"),
      liveSessions: prepare(database, "SELECT id FROM sessions WHERE ended IS NULL AND (? IS NULL OR user_id = ?)"),
      value: prepare(database, "SELECT * FROM refresh_values WHERE hash = ?"),
      addValue: prepare(database, "INSERT INTO refresh_values (hash, session_id, token_id, expires_at) VALUES (?, ?, ?, ?)"),
      useValue: prepare(database, "UPDATE refresh_values SET used_at = ? WHERE hash = ?"),
      setPermissions: prepare(database, "UPDATE users SET permissions = ? WHERE id = ?"),
      nextVersion: prepare(database, "UPDATE users SET version = version + 1 WHERE id = ?"),
    };
  }

  /** @returns {Session} */
  signIn(/** @type {string} */ way, /** @type {unknown} */ userId) {
    const user = this.#sql.user.get(String(userId));
    if (!user) throw new Refusal(401, "unknown_user");
    const id = randomBytes(16).toString("base64url");
    this.#sql.addSession.run(id, way, user.id, user.version, this.#now());
    this.#stats.log("signed in", id);
    return this.live(id, way);
  }

  /**
   * The session if it still lives.
   * @returns {Session}
   */
  live(/** @type {string} */ id, /** @type {string} */ way) {
    const row = this.#sql.session.get(String(id));
    if (!row || row.way !== way) throw new Refusal(401, "unknown_session");
    if (row.ended) throw new Refusal(row.ended === "revoked" ? 403 : 401, row.ended);
    if (row.user_version !== row.version) throw new Refusal(401, "reauth");
    if (this.endsIn({ signedInAt: row.signed_in_at }) <= 0) throw new Refusal(401, "session_too_old");
    const user = { id: row.user_id, name: row.name, permissions: JSON.parse(row.permissions) };
    return { id: row.id, way, signedInAt: row.signed_in_at, user };
  }

  /** Seconds until the user has to sign in again, however often it is renewed; infinite where there is no such limit. */
  endsIn(/** @type {Pick<Session, "signedInAt">} */ { signedInAt }) {
    const { sessionSeconds } = this.#lifetimes;
    return sessionSeconds === undefined ? Infinity : sessionSeconds - (this.#now() - signedInAt) / 1000;
  }

  /**
   * A new refresh value of the session. Given a name, it renews only together with the access token of that name.
   * @param {Session} session
   * @param {string} [tokenId]
   * @param {string} [value]
   */
  issue(session, tokenId, value = randomBytes(32).toString("base64url")) {
    this.#sql.addValue.run(hashOf(value), session.id, tokenId ?? null, this.#now() + this.#lifetimes.refreshTokenSeconds * 1000);
    return value;
  }

  /**
   * Uses a refresh value up. In one transaction: of two that come at once, one is a reuse.
   * @param {unknown} value
   * @param {string} way
   * @param {string} [tokenId] of the access token that was sent with it
   * @returns {Session}
   */
  redeem(value, way, tokenId) {
    const redeem = this.#database.transaction(() => {
      const row = this.#sql.value.get(hashOf(String(value)));
      if (!row || (row.token_id !== null && row.token_id !== tokenId)) return new Refusal(401, "unknown_refresh_value");
      if (row.used_at !== null) {
        this.#stats.reused += 1;
        this.#stats.log("used refresh value presented again", row.session_id);
        this.end(row.session_id, "reuse");
        return new Refusal(401, "reuse");
      }
      if (row.expires_at <= this.#now()) return new Refusal(401, "refresh_value_expired");
      const session = this.live(row.session_id, way);
      this.#sql.useValue.run(this.#now(), row.hash);
      return session;
    });
    const outcome = redeem.immediate();
    // Thrown after the transaction: what a reuse ended must stay ended.
    if (outcome instanceof Refusal) throw outcome;
    return outcome;
  }

  /** Whose the refresh value is, used or not. */
  ownerOf(/** @type {unknown} */ value) {
    return this.#sql.value.get(hashOf(String(value)))?.session_id;
  }

  end(/** @type {string} */ id, /** @type {string} */ why) {
    if (this.#sql.endSession.run(why, String(id)).changes === 0) return;
    if (why !== "signed_out") this.#stats.revoked += 1;
    this.#stats.log(`session ended: ${why}`, id);
  }

  /** As an administrator would: those of one user, or of all. Returns how many sessions ended. */
  revokeAll(/** @type {string | undefined} */ userId) {
    const sessions = this.#sql.liveSessions.all(userId ?? null, userId ?? null);
    for (const { id } of sessions) this.end(id, "revoked");
    return sessions.length;
  }

  /** In force with the next renewal. */
  setPermissions(/** @type {string} */ userId, /** @type {string[]} */ permissions) {
    this.#sql.setPermissions.run(JSON.stringify(permissions), userId);
  }

  /** After a change of the password, say: every session of the user is told to sign in again. */
  requireReauth(/** @type {string} */ userId) {
    this.#sql.nextVersion.run(userId);
  }
}
