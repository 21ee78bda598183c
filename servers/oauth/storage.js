/**
 * Where oidc-provider keeps its records: one map, in memory. Its own memory adapter holds a thousand records and forgets the oldest, and with
 * them the used refresh tokens that reuse detection must recognise.
 */

/** How many inserts pass between two sweeps of what has expired. */
const SWEEP_EVERY = 500;

/**
 * @import { Adapter, Payload } from "oidc-provider"
 *
 * @typedef {object} StoredRecord
 * @property {string} model
 * @property {Payload} payload
 * @property {number} expiresAt epoch milliseconds
 */

export class Storage {
  /** @type {Map<string, StoredRecord>} */
  #records = new Map();
  #inserts = 0;
  /**
   * The ids of refresh tokens that have been used. They outlive their grant, so a reuse is recognised after the revocation too.
   * @type {Set<string>}
   */
  #used = new Set();

  /** For the `adapter` setting of oidc-provider. */
  adapter = (/** @type {string} */ model) => new ModelAdapter(this, model);

  find(/** @type {string} */ model, /** @type {string} */ id) {
    return this.#records.get(`${model}:${id}`)?.payload;
  }

  /**
   * @param {string} model
   * @param {"uid" | "userCode"} key
   * @param {string} value
   */
  findBy(model, key, value) {
    for (const record of this.#records.values()) {
      if (record.model === model && record.payload[key] === value) return record.payload;
    }
    return undefined;
  }

  /**
   * @param {string} model
   * @param {string} id
   * @param {Payload} payload
   * @param {number} expiresIn seconds
   */
  insert(model, id, payload, expiresIn) {
    this.#records.set(`${model}:${id}`, { model, payload, expiresAt: Date.now() + expiresIn * 1000 });
    this.#inserts += 1;
    if (this.#inserts % SWEEP_EVERY === 0) this.#sweep();
  }

  remove(/** @type {string} */ model, /** @type {string} */ id) {
    this.#records.delete(`${model}:${id}`);
  }

  consume(/** @type {string} */ model, /** @type {string} */ id) {
    const payload = this.find(model, id);
    if (payload) payload.consumed = Math.floor(Date.now() / 1000);
    if (model === "RefreshToken") this.#used.add(id);
  }

  removeGrantMembers(/** @type {string} */ grantId) {
    for (const [key, record] of this.#records) {
      if (record.payload.grantId === grantId) this.#records.delete(key);
    }
  }

  /** Whether this refresh token has been exchanged before. */
  wasUsed(/** @type {string} */ refreshToken) {
    return this.#used.has(refreshToken);
  }

  hasGrant(/** @type {string} */ grantId) {
    return this.find("Grant", grantId) !== undefined;
  }

  /**
   * The grants that can still be refreshed, of one user or of all.
   * @param {string} [subject]
   */
  liveGrants(subject) {
    /** @type {Set<string>} */
    const grants = new Set();
    for (const { model, payload } of this.#records.values()) {
      const { accountId, grantId, consumed } = payload;
      if (model !== "RefreshToken" || consumed || grantId === undefined) continue;
      if ((subject === undefined || accountId === subject) && this.hasGrant(grantId)) grants.add(grantId);
    }
    return grants;
  }

  #sweep() {
    const now = Date.now();
    for (const [key, record] of this.#records) {
      if (record.expiresAt < now) this.#records.delete(key);
    }
  }
}

/**
 * The methods that oidc-provider calls, for one of its models.
 * @implements {Adapter}
 */
class ModelAdapter {
  #storage;
  #model;

  constructor(/** @type {Storage} */ storage, /** @type {string} */ model) {
    this.#storage = storage;
    this.#model = model;
  }

  async upsert(/** @type {string} */ id, /** @type {Payload} */ payload, /** @type {number} */ expiresIn) {
    this.#storage.insert(this.#model, id, payload, expiresIn);
  }

  async find(/** @type {string} */ id) {
    return this.#storage.find(this.#model, id);
  }

  async findByUid(/** @type {string} */ uid) {
    return this.#storage.findBy(this.#model, "uid", uid);
  }

  async findByUserCode(/** @type {string} */ userCode) {
    return this.#storage.findBy(this.#model, "userCode", userCode);
  }

  async consume(/** @type {string} */ id) {
    this.#storage.consume(this.#model, id);
  }

  async destroy(/** @type {string} */ id) {
    this.#storage.remove(this.#model, id);
  }

  async revokeByGrantId(/** @type {string} */ grantId) {
    this.#storage.removeGrantMembers(grantId);
  }
}
