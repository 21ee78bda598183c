/**
 * Where oidc-provider keeps its records: one map, in memory. Its own memory adapter holds a thousand records and forgets the oldest, and with
 * them the used refresh tokens that reuse detection must recognise.
 */

/** How many inserts pass between two sweeps of what has expired. */
const SWEEP_EVERY = 500;

export class Storage {
  #records = new Map();
  #inserts = 0;
  /** The ids of refresh tokens that have been used. They outlive their grant, so a reuse is recognised after the revocation too. */
  #used = new Set();

  /** For the `adapter` setting of oidc-provider. */
  adapter = (model) => new ModelAdapter(this, model);

  find(model, id) {
    return this.#records.get(`${model}:${id}`)?.payload;
  }

  findBy(model, key, value) {
    for (const record of this.#records.values()) {
      if (record.model === model && record.payload[key] === value) return record.payload;
    }
    return undefined;
  }

  insert(model, id, payload, expiresIn) {
    this.#records.set(`${model}:${id}`, { model, payload, expiresAt: Date.now() + expiresIn * 1000 });
    this.#inserts += 1;
    if (this.#inserts % SWEEP_EVERY === 0) this.#sweep();
  }

  remove(model, id) {
    this.#records.delete(`${model}:${id}`);
  }

  consume(model, id) {
    const payload = this.find(model, id);
    if (payload) payload.consumed = Math.floor(Date.now() / 1000);
    if (model === "RefreshToken") this.#used.add(id);
  }

  removeGrantMembers(grantId) {
    for (const [key, record] of this.#records) {
      if (record.payload.grantId === grantId) this.#records.delete(key);
    }
  }

  /** Whether this refresh token has been exchanged before. */
  wasUsed(refreshToken) {
    return this.#used.has(refreshToken);
  }

  hasGrant(grantId) {
    return this.find("Grant", grantId) !== undefined;
  }

  /** The grants that can still be refreshed, of one user or of all. */
  liveGrants(subject) {
    const grants = new Set();
    for (const { model, payload } of this.#records.values()) {
      const matches = subject === undefined || payload.accountId === subject;
      if (model === "RefreshToken" && !payload.consumed && matches && this.hasGrant(payload.grantId)) grants.add(payload.grantId);
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

/** The methods that oidc-provider calls, for one of its models. */
class ModelAdapter {
  #storage;
  #model;

  constructor(storage, model) {
    this.#storage = storage;
    this.#model = model;
  }

  async upsert(id, payload, expiresIn) {
    this.#storage.insert(this.#model, id, payload, expiresIn);
  }

  async find(id) {
    return this.#storage.find(this.#model, id);
  }

  async findByUid(uid) {
    return this.#storage.findBy(this.#model, "uid", uid);
  }

  async findByUserCode(userCode) {
    return this.#storage.findBy(this.#model, "userCode", userCode);
  }

  async consume(id) {
    this.#storage.consume(this.#model, id);
  }

  async destroy(id) {
    this.#storage.remove(this.#model, id);
  }

  async revokeByGrantId(grantId) {
    this.#storage.removeGrantMembers(grantId);
  }
}
