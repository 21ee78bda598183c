import { fromBearer } from "../api.js";

/** @import { Parts, Way } from "../routes.js" */

/**
 * AuthP's way: the expired JWT together with a refresh value that can be used once, and only with that JWT.
 * @param {Parts} parts
 * @returns {Way}
 */
export function pair({ sessions, accessTokens, lifetimes }) {
  return {
    api: { tokenOf: fromBearer },
    async issue(session) {
      const { token, id } = await accessTokens.sign(session, lifetimes.accessTokenSeconds ?? 300);
      return { token, refreshToken: sessions.issue(session, id) };
    },
    async redeem({ json }) {
      const { jti } = await accessTokens.read(json.token);
      return sessions.redeem(json.refreshToken, "pair", jti);
    },
    sessionOf: ({ json }) => sessions.ownerOf(json.refreshToken),
  };
}
