import { randomBytes } from "node:crypto";
import Sqlite from "better-sqlite3";
import { users } from "../users.js";

const schema = `
  CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    permissions TEXT NOT NULL,
    version INTEGER NOT NULL DEFAULT 1  -- sessions of an older version must sign in again
  );
  CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY,
    way TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    user_version INTEGER NOT NULL,
    signed_in_at INTEGER NOT NULL,
    ended TEXT  -- why; null while it lives
  );
  CREATE TABLE IF NOT EXISTS refresh_values (
    hash TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id),
    token_id TEXT,  -- of the access token it was issued with
    expires_at INTEGER NOT NULL,
    used_at INTEGER
  );
`;

/**
 * Instants are epoch milliseconds.
 * @param {string} file `:memory:`, or a file, which survives a restart
 */
export function openDatabase(file) {
  const database = new Sqlite(file);
  database.pragma("journal_mode = WAL");
  database.pragma("foreign_keys = ON");
  database.exec(schema);
  const add = database.prepare("INSERT OR IGNORE INTO users (id, name, permissions) VALUES (?, ?, ?)");
  for (const [id, { name }] of Object.entries(users)) add.run(id, name, JSON.stringify(["read"]));
  return database;
}

/**
 * A statement, of which the one who prepares it says what it takes and what its rows are.
 * @template {unknown[]} Parameters
 * @template Row
 * @param {Sqlite.Database} database
 * @param {string} sql
 */
export const prepare = (database, sql) => /** @type {Sqlite.Statement<Parameters, Row>} */ (database.prepare(sql));

/** @typedef {ReturnType<typeof createSettings>} Settings */

/** Short values that must survive a restart. */
export function createSettings(/** @type {Sqlite.Database} */ database) {
  /** @type {Sqlite.Statement<[string], string>} */
  const get = prepare(database, "SELECT value FROM settings WHERE name = ?").pluck();
  const set = database.prepare("INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value");
  return {
    get: (/** @type {string} */ name) => get.get(name),
    set: (/** @type {string} */ name, /** @type {unknown} */ value) => set.run(name, String(value)),
    /** A key, made at the first use. */
    key(/** @type {string} */ name) {
      const stored = get.get(name);
      if (stored) return Buffer.from(stored, "base64url");
      const key = randomBytes(32);
      set.run(name, key.toString("base64url"));
      return key;
    },
  };
}
