import { setCookie } from "../messages.js";

/** @import { Parts, Way } from "../routes.js" */

const path = "/access-cookie";

/**
 * The refresh value is in the client's storage; the access token in a cookie that no script can read, so the answer says only how long it lives.
 * @param {Parts} parts
 * @returns {Way}
 */
export function accessCookie({ sessions, accessTokens, lifetimes }) {
  return {
    api: { tokenOf: ({ cookies }) => cookies.access || undefined },
    async issue(session) {
      const expiresIn = lifetimes.accessTokenSeconds ?? 300;
      const { token } = await accessTokens.sign(session, expiresIn);
      return { refreshToken: sessions.issue(session), expiresIn, cookies: [setCookie("access", token, { path, seconds: expiresIn })] };
    },
    redeem: ({ json }) => sessions.redeem(json.refreshToken, "access-cookie"),
    sessionOf: ({ json }) => sessions.ownerOf(json.refreshToken),
    forget: [setCookie("access", "", { path })],
  };
}
