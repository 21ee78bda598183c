import { createHash, randomBytes } from "node:crypto";
import { Refusal } from "./refusal.js";

const hashOf = (value) => createHash("sha256").update(value).digest("base64url");

/**
 * @typedef {object} Session what one sign-in began; all that was renewed from it is one family
 * @property {string} id
 * @property {string} way
 * @property {number} signedInAt epoch milliseconds
 * @property {{ id: string, name: string, permissions: string[] }} user as it is now: whoever renews gets what changed since
 */

/** Who is signed in, and the refresh values, of which only a hash is kept. Each can be used once; a used one that comes back ends its session. */
export class Sessions {
  #database;
  #lifetimes;
  #now;
  #stats;
  #sql;

  constructor({ database, lifetimes, now, stats }) {
    this.#database = database;
    this.#lifetimes = lifetimes;
    this.#now = now;
    this.#stats = stats;
    const prepare = (sql) => database.prepare(sql);
    prepare("DELETE FROM refresh_values WHERE expires_at < ?").run(now());
    this.#sql = {
      user: prepare("SELECT * FROM users WHERE id = ?"),
      session: prepare(`SELECT sessions.*, users.name, users.permissions, users.version
        FROM sessions JOIN users ON users.id = user_id WHERE sessions.id = ?`),
      addSession: prepare("INSERT INTO sessions (id, way, user_id, user_version, signed_in_at) VALUES (?, ?, ?, ?, ?)"),
      endSession: prepare("UPDATE sessions SET ended = ? WHERE id = ? AND ended IS NULL"),
      liveSessions: prepare("SELECT id FROM sessions WHERE ended IS NULL AND (? IS NULL OR user_id = ?)"),
      value: prepare("SELECT * FROM refresh_values WHERE hash = ?"),
      addValue: prepare("INSERT INTO refresh_values (hash, session_id, token_id, expires_at) VALUES (?, ?, ?, ?)"),
      useValue: prepare("UPDATE refresh_values SET used_at = ? WHERE hash = ?"),
      setPermissions: prepare("UPDATE users SET permissions = ? WHERE id = ?"),
      nextVersion: prepare("UPDATE users SET version = version + 1 WHERE id = ?"),
    };
  }

  /** @returns {Session} */
  signIn(way, userId) {
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
  live(id, way) {
    const row = this.#sql.session.get(String(id));
    if (!row || row.way !== way) throw new Refusal(401, "unknown_session");
    if (row.ended) throw new Refusal(row.ended === "revoked" ? 403 : 401, row.ended);
    if (row.user_version !== row.version) throw new Refusal(401, "reauth");
    if (this.endsIn({ signedInAt: row.signed_in_at }) <= 0) throw new Refusal(401, "session_too_old");
    const user = { id: row.user_id, name: row.name, permissions: JSON.parse(row.permissions) };
    return { id: row.id, way, signedInAt: row.signed_in_at, user };
  }

  /** Seconds until the user has to sign in again, however often it is renewed; infinite where there is no such limit. */
  endsIn({ signedInAt }) {
    const { sessionSeconds } = this.#lifetimes;
    return sessionSeconds === undefined ? Infinity : sessionSeconds - (this.#now() - signedInAt) / 1000;
  }

  /** A new refresh value of the session. Given a name, it renews only together with the access token of that name. */
  issue(session, tokenId, value = randomBytes(32).toString("base64url")) {
    this.#sql.addValue.run(hashOf(value), session.id, tokenId ?? null, this.#now() + this.#lifetimes.refreshTokenSeconds * 1000);
    return value;
  }

  /**
   * Uses a refresh value up. In one transaction: of two that come at once, one is a reuse.
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
  ownerOf(value) {
    return this.#sql.value.get(hashOf(String(value)))?.session_id;
  }

  end(id, why) {
    if (this.#sql.endSession.run(why, String(id)).changes === 0) return;
    if (why !== "signed_out") this.#stats.revoked += 1;
    this.#stats.log(`session ended: ${why}`, id);
  }

  /** As an administrator would. Returns how many sessions ended. */
  revokeAll(userId = null) {
    const sessions = this.#sql.liveSessions.all(userId, userId);
    for (const { id } of sessions) this.end(id, "revoked");
    return sessions.length;
  }

  /** In force with the next renewal. */
  setPermissions(userId, permissions) {
    this.#sql.setPermissions.run(JSON.stringify(permissions), userId);
  }

  /** After a change of the password, say: every session of the user is told to sign in again. */
  requireReauth(userId) {
    this.#sql.nextVersion.run(userId);
  }
}
