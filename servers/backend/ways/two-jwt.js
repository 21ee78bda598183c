import { fromBearer } from "../api.js";
import { Refusal } from "../refusal.js";

/** @import { Parts, Way } from "../routes.js" */

/**
 * A short JWT and a long one. Each exchange extends the long one, which is no access token: the API refuses it.
 * @param {Parts} parts
 * @returns {Way}
 */
export function twoJwt({ sessions, accessTokens, lifetimes }) {
  return {
    api: {
      tokenOf: fromBearer,
      check({ use }) {
        if (use === "refresh") throw new Refusal(401, "invalid_token");
      },
    },
    async issue(session) {
      const nonce = sessions.issue(session);
      const short = await accessTokens.sign(session, lifetimes.accessTokenSeconds ?? 300);
      const long = await accessTokens.sign(session, lifetimes.refreshTokenSeconds, { use: "refresh", nonce });
      return { access: short.token, refresh: long.token };
    },
    async redeem({ json }) {
      const { nonce } = await accessTokens.read(json.refresh);
      return sessions.redeem(nonce, "two-jwt");
    },
    sessionOf: async ({ json }) => (await accessTokens.read(json.refresh)).sid,
  };
}
