import { jwtVerify } from "jose";

/**
 * @typedef {object} Known of an access token
 * @property {string} sub
 * @property {number} serial
 * @property {string} grantId
 * @property {number} expiresAt epoch milliseconds
 */

/** Remembers each access token issued, so that JWTs can be refused before they expire: a JWT alone cannot be revoked. */
export class AccessTokens {
  /** @type {Map<string, Known>} */
  #issued = new Map();
  #serial = 0;
  #refusedUpTo = 0;
  #storage;
  #provider;
  #verify;

  /**
   * @param {object} parts
   * @param {import("oidc-provider").Provider} parts.provider
   * @param {import("./storage.js").Storage} parts.storage
   * @param {CryptoKey} parts.publicKey
   * @param {string} parts.issuer
   * @param {string} parts.audience
   */
  constructor({ provider, storage, publicKey, issuer, audience }) {
    this.#provider = provider;
    this.#storage = storage;
    this.#verify = (/** @type {string} */ token) => jwtVerify(token, publicKey, { issuer, audience, typ: "at+jwt" });
    provider.on("access_token.issued", (token) => this.#remember(token));
    provider.on("access_token.saved", (token) => this.#remember(token));
  }

  /** Refuses all that were issued before now. */
  expire() {
    this.#refusedUpTo = this.#serial;
  }

  /** What is known of a token that is valid now, else null. */
  async check(/** @type {string} */ token) {
    const id = await this.#idOf(token);
    const found = id === undefined ? undefined : this.#issued.get(id);
    if (!found || found.serial <= this.#refusedUpTo || !this.#storage.hasGrant(found.grantId)) return null;
    return found;
  }

  async #idOf(/** @type {string} */ token) {
    // A JWT has three parts; an opaque token of oidc-provider has no dot.
    if (!token.includes(".")) return (await this.#provider.AccessToken.find(token))?.jti;
    try {
      return (await this.#verify(token)).payload.jti;
    } catch {
      return undefined;
    }
  }

  #remember(/** @type {import("oidc-provider").Token} */ token) {
    const now = Date.now();
    for (const [id, { expiresAt }] of this.#issued) {
      if (expiresAt < now) this.#issued.delete(id);
    }
    this.#serial += 1;
    const expiresAt = now + token.expiration * 1000;
    this.#issued.set(token.jti, { serial: this.#serial, sub: token.accountId, grantId: token.grantId, expiresAt });
  }
}
