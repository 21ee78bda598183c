/** The code of a token that was good once, and may be renewed. */
export const EXPIRED = "token_expired";

/** A definite no. Its code goes into the answer's body, and says nothing that the one who asked could not know. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {string} code
   */
  constructor(status, code) {
    super(code);
    this.status = status;
    this.code = code;
  }
}
