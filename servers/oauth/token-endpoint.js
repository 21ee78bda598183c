import { once } from "node:events";
import { meetFault, takeFault } from "../faults.js";
import { allowEveryOrigin } from "../http.js";
import { createGrace } from "./grace.js";

/** Marks the requests with which the server sets up a session for a test: not counted, no fault. */
export const SET_UP_HEADER = "x-set-up";

/**
 * Koa middleware in front of oidc-provider: counts what comes in and makes the token endpoint misbehave.
 * @param {object} parts
 * @param {string} parts.path
 * @param {import("../stats.js").Stats} parts.stats
 * @param {import("../faults.js").Faults} parts.faults
 * @param {string} parts.setUpSecret
 * @param {{ reuseGraceSeconds: number }} parts.settings
 * @returns {import("oidc-provider").Middleware}
 */
export function tokenEndpoint({ path, stats, faults, setUpSecret, settings }) {
  const exchange = createGrace({ settings, stats });
  return async (ctx, next) => {
    if (ctx.path !== path || ctx.method !== "POST") return next();
    if (ctx.get(SET_UP_HEADER) === setUpSecret) return next();
    const form = new URLSearchParams((await peekBody(ctx.req)).toString());
    const refreshes = form.get("grant_type") === "refresh_token";
    if (refreshes) stats.attempts += 1;
    const handle = async () => {
      await exchange(ctx, refreshes ? form.get("refresh_token") : null, next);
      return { status: ctx.status, body: ctx.body };
    };
    const fault = takeFault(faults, "token");
    if (!fault) return handle();
    allowEveryOrigin(ctx.req, ctx.res);
    const answer = await meetFault(fault, { request: ctx.req, response: ctx.res, handle }, stats.log);
    if (!answer) {
      ctx.respond = false;
      return;
    }
    ctx.status = answer.status;
    ctx.set(answer.headers ?? {});
    ctx.body = answer.body;
  };
}

/** Reads the body and puts it back, since oidc-provider wants to read the stream itself. */
async function peekBody(/** @type {import("node:http").IncomingMessage} */ request) {
  const length = Number(request.headers["content-length"] ?? 0);
  const chunks = [];
  let received = 0;
  while (received < length) {
    const chunk = request.read();
    if (chunk === null) {
      await once(request, "readable");
    } else {
      chunks.push(chunk);
      received += chunk.length;
    }
  }
  const body = Buffer.concat(chunks);
  if (body.length > 0) request.unshift(body);
  return body;
}
