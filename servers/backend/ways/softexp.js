import { fromBearer } from "../api.js";
import { Refusal } from "../refusal.js";

/** @import { Parts, Way } from "../routes.js" */

const EXPIRED_TOKEN = "EXPIRED_TOKEN";
const HARD = 6;

/**
 * A JWT whose `softexp` comes long before its `exp`. From then on the API answers `EXPIRED_TOKEN`, and the token is good for one thing more:
 * being exchanged, together with its refresh value or by itself. Once it is past `exp`, or its session has ended: `INVALID_TOKEN`.
 * @param {Parts} parts
 * @returns {Way}
 */
export function softexp({ sessions, accessTokens, lifetimes, now }) {
  return {
    api: {
      tokenOf: fromBearer,
      check({ softexp }) {
        if (Number(softexp) <= now() / 1000) throw new Refusal(401, EXPIRED_TOKEN);
      },
      expiredCode: EXPIRED_TOKEN,
      codeOf: (code) => (code === EXPIRED_TOKEN ? code : "INVALID_TOKEN"),
    },
    async issue(session) {
      const seconds = Math.ceil(lifetimes.accessTokenSeconds ?? 300);
      const claims = { softexp: Math.floor(now() / 1000) + seconds };
      const { token, id } = await accessTokens.sign(session, seconds * HARD, claims);
      return { token, refreshToken: sessions.issue(session, id) };
    },
    async redeem({ json, bearer }) {
      const { jti, sid } = await accessTokens.verify(String(json.token ?? bearer));
      return json.refreshToken === undefined ? sessions.live(sid, "softexp") : sessions.redeem(json.refreshToken, "softexp", jti);
    },
    sessionOf: async ({ json, bearer }) => (await accessTokens.read(json.token ?? bearer)).sid,
  };
}
