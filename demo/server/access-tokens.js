import { jwtVerify } from "jose";

/** Remembers each access token issued, so that JWTs can be refused before they expire: a JWT alone cannot be revoked. */
export class AccessTokens {
  #issued = new Map();
  #serial = 0;
  #refusedUpTo = 0;
  #storage;
  #provider;
  #verify;

  constructor({ provider, storage, publicKey, issuer, audience }) {
    this.#provider = provider;
    this.#storage = storage;
    this.#verify = (token) => jwtVerify(token, publicKey, { issuer, audience, typ: "at+jwt" });
    provider.on("access_token.issued", (token) => this.#remember(token));
    provider.on("access_token.saved", (token) => this.#remember(token));
  }

  /** Refuses all that were issued before now. */
  expire() {
    this.#refusedUpTo = this.#serial;
  }

  /** What is known of a token that is valid now, else null. */
  async check(token) {
    const id = await this.#idOf(token);
    const found = id === undefined ? undefined : this.#issued.get(id);
    if (!found || found.serial <= this.#refusedUpTo || !this.#storage.hasGrant(found.grantId)) return null;
    return found;
  }

  async #idOf(token) {
    // A JWT has three parts; an opaque token of oidc-provider has no dot.
    if (!token.includes(".")) return (await this.#provider.AccessToken.find(token))?.jti;
    try {
      return (await this.#verify(token)).payload.jti;
    } catch {
      return undefined;
    }
  }

  #remember(token) {
    const now = Date.now();
    for (const [id, { expiresAt }] of this.#issued) {
      if (expiresAt < now) this.#issued.delete(id);
    }
    this.#serial += 1;
    const expiresAt = now + token.expiration * 1000;
    this.#issued.set(token.jti, { serial: this.#serial, sub: token.accountId, grantId: token.grantId, expiresAt });
  }
}
