import { createHmac, timingSafeEqual } from "node:crypto";
import { fromBearer } from "../api.js";
import { setCookie } from "../messages.js";
import { Refusal } from "../refusal.js";

/** @import { Parts, Way } from "../routes.js" */

const path = "/cookie";

/**
 * The refresh value is in a cookie that no script can read; the access token, of one minute, in the body. The cookie `csrf` must be sent as
 * the header `X-CSRF-Token` as well, which a page of another site cannot do.
 * @param {Parts} parts
 * @returns {Way}
 */
export function cookie({ sessions, accessTokens, lifetimes, settings }) {
  const key = settings.key("csrf_key");
  // Bound to the session, so that a cookie which somebody planted for another one does not do.
  const csrfOf = (/** @type {string} */ sessionId) => createHmac("sha256", key).update(sessionId).digest("base64url");

  return {
    api: { tokenOf: fromBearer },
    async issue(session) {
      const seconds = lifetimes.refreshTokenSeconds;
      const { token } = await accessTokens.sign(session, lifetimes.accessTokenSeconds ?? 60);
      const cookies = [
        setCookie("refresh", sessions.issue(session), { path, seconds }),
        setCookie("csrf", csrfOf(session.id), { seconds, readable: true }),
      ];
      return { accessToken: token, cookies };
    },
    redeem({ cookies, headers }) {
      if (!cookies.refresh) throw new Refusal(401, "no_cookie");
      const owner = sessions.ownerOf(cookies.refresh);
      if (owner !== undefined && !same(headers["x-csrf-token"], csrfOf(owner))) throw new Refusal(403, "csrf");
      return sessions.redeem(cookies.refresh, "cookie");
    },
    sessionOf: ({ cookies }) => sessions.ownerOf(cookies.refresh),
    forget: [setCookie("refresh", "", { path }), setCookie("csrf", "", { readable: true })],
  };
}

function same(/** @type {string | string[]} */ one = "", other = "") {
  const [a, b] = [Buffer.from(String(one)), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
