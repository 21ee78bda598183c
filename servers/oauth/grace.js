import { allowEveryOrigin } from "../http.js";

/**
 * @import { Context } from "oidc-provider"
 */

/**
 * A grace period for used refresh tokens, in front of a server that has none: within it, a used one gets the same answer again.
 * @param {{ settings: { reuseGraceSeconds: number }, stats: import("../stats.js").Stats }} options
 */
export function createGrace({ settings, stats }) {
  /**
   * By refresh token: what it was exchanged for, null when it was refused. Promises, since the second may come before the first is done.
   * @type {Map<string, Promise<unknown>>}
   */
  const exchanges = new Map();

  /**
   * Koa middleware, but for the refresh token that the request presents.
   * @param {Context} ctx
   * @param {string | null} refreshToken
   * @param {() => Promise<unknown>} next
   */
  return async function exchange(ctx, refreshToken, next) {
    const seconds = settings.reuseGraceSeconds;
    // A token that is bound to a key gets the same answer only with a proof, which the server would have to judge first.
    if (seconds === 0 || refreshToken === null || ctx.get("DPoP")) return next();
    const earlier = await exchanges.get(refreshToken);
    if (earlier) {
      stats.log("used refresh token presented within the grace");
      allowEveryOrigin(ctx.req, ctx.res);
      ctx.status = 200;
      ctx.set("Cache-Control", "no-store");
      ctx.body = earlier;
      return;
    }
    const exchanged = Promise.resolve(next()).then(() => (ctx.status === 200 ? ctx.body : null));
    exchanges.set(refreshToken, exchanged);
    await exchanged;
    setTimeout(() => exchanges.delete(refreshToken), seconds * 1000).unref();
  };
}
