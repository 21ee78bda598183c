import { fromBearer } from "../api.js";

/** @import { Parts, Way } from "../routes.js" */

/**
 * A JWT that is still valid is exchanged for a later one; a week without that ends it. The API does the same of its own accord: past half of
 * its life, the answer to any call brings a new one in the header `X-Renewed-Token`.
 * @param {Parts} parts
 * @returns {Way}
 */
export function sliding({ sessions, accessTokens, lifetimes, now }) {
  const seconds = () => lifetimes.accessTokenSeconds ?? 7 * 24 * 60 * 60;
  const issue = async (/** @type {import("../sessions.js").Session} */ session) => ({
    token: (await accessTokens.sign(session, seconds())).token,
  });
  return {
    api: {
      tokenOf: fromBearer,
      async renew({ claims: { iat, exp }, session }) {
        if (now() / 1000 < (iat + exp) / 2) return {};
        return { "X-Renewed-Token": (await issue(session)).token };
      },
    },
    issue,
    async redeem({ bearer }) {
      const { sid } = await accessTokens.verify(String(bearer));
      return sessions.live(sid, "sliding");
    },
    sessionOf: async ({ bearer }) => (await accessTokens.read(bearer)).sid,
  };
}
