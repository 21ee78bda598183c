import { compactVerify, errors, jwtVerify, SignJWT } from "jose";
import { EXPIRED, Refusal } from "./refusal.js";

const algorithm = "HS256";

/**
 * @typedef {object} OwnClaims
 * @property {string} sub
 * @property {string} name
 * @property {string[]} permissions
 * @property {string} sid the session
 * @property {string} jti
 * @property {number} iat
 * @property {number} exp
 *
 * @typedef {OwnClaims & Record<string, unknown>} Claims of the tokens that `sign` makes
 */

/** Signs and checks JWTs. The key is kept in the database, so that tokens outlive a restart. */
export class AccessTokens {
  #now;
  #settings;
  #key;

  constructor(/** @type {{ settings: import("./database.js").Settings, now: () => number }} */ { settings, now }) {
    this.#now = now;
    this.#settings = settings;
    this.#key = settings.key("signing_key");
  }

  /**
   * The claims hold what the user may do now.
   * @param {import("./sessions.js").Session} session
   * @param {number} seconds until `exp`
   * @param {Record<string, unknown>} [claims] further ones
   * @returns {Promise<{ token: string, id: string }>}
   */
  async sign({ id: sid, user }, seconds, claims = {}) {
    const issuedAt = Math.floor(this.#now() / 1000);
    const serial = this.#last("serial") + 1;
    this.#settings.set("serial", serial);
    const token = await new SignJWT({ name: user.name, permissions: user.permissions, sid, ...claims })
      .setProtectedHeader({ alg: algorithm, typ: "JWT" })
      .setSubject(user.id)
      .setJti(String(serial))
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + Math.ceil(seconds))
      .sign(this.#key);
    return { token, id: String(serial) };
  }

  /**
   * The claims of a token that is valid now.
   * @returns {Promise<Claims>}
   */
  async verify(/** @type {string} */ token) {
    try {
      const { payload } = await jwtVerify(token, this.#key, { algorithms: [algorithm], currentDate: new Date(this.#now()) });
      return /** @type {Claims} */ (payload);
    } catch (error) {
      throw new Refusal(401, error instanceof errors.JWTExpired ? EXPIRED : "invalid_token");
    }
  }

  /**
   * The claims of a token that was ours, expired or not.
   * @returns {Promise<Claims>}
   */
  async read(/** @type {unknown} */ token) {
    try {
      const { payload } = await compactVerify(String(token), this.#key, { algorithms: [algorithm] });
      return JSON.parse(new TextDecoder().decode(payload));
    } catch {
      throw new Refusal(400, "invalid_token");
    }
  }

  /** From now on, all that have been issued so far count as expired. */
  expire() {
    this.#settings.set("expired_up_to", this.#last("serial"));
  }

  isExpired(/** @type {Claims} */ { jti }) {
    return Number(jti) <= this.#last("expired_up_to");
  }

  #last(/** @type {string} */ name) {
    return Number(this.#settings.get(name) ?? 0);
  }
}
