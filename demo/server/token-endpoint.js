import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { createGrace } from "./grace.js";
import { allowEveryOrigin, takeFault } from "./http.js";

/**
 * @typedef {object} TokenFault
 * @property {"down" | "unreachable" | "slow" | "throttled" | "hang" | "lose-answer" | "cut-answer" | "html-403" | "stall-body" | "weather"} kind
 *   `down`: 503, a proxy's page. `unreachable`: the connection breaks before anything is handled. `slow`: handled after a while, or not
 *   at all when the client has gone by then. `throttled`: 429 with `Retry-After`. `hang`: never handled, never answered.
 *   `lose-answer`: handled (a refresh token is rotated), then the connection breaks. `html-403`: a captive portal.
 *   `cut-answer`: handled, then the connection breaks after the headers, so that the browser does not send the request again by itself.
 *   `stall-body`: handled, then half of the answer is sent and no more. `weather`: each request takes its time, and has its chance to be
 *   met by `down` or by `lose-answer`.
 * @property {number} [milliseconds] of `slow`: how long; of `weather`: at most how long; default 2000
 * @property {{ down: number, loseAnswer: number }} [chances] of `weather`, from 0 to 1; default 0.01 each
 * @property {number} [retryAfterSeconds] of `throttled`; default 2
 * @property {number} [times] how many requests it meets; default: all, until it is taken away
 */

/** Marks the requests with which the server sets up a session for a test: not counted, no fault. */
export const SET_UP_HEADER = "x-set-up";

/** Koa middleware in front of oidc-provider: counts what comes in and makes the token endpoint misbehave. */
export function tokenEndpoint({ path, stats, faults, setUpSecret, settings }) {
  const exchange = createGrace({ settings, stats });
  return async (ctx, next) => {
    if (ctx.path !== path || ctx.method !== "POST") return next();
    if (ctx.get(SET_UP_HEADER) === setUpSecret) return next();
    const form = new URLSearchParams((await peekBody(ctx.req)).toString());
    const refreshes = form.get("grant_type") === "refresh_token";
    if (refreshes) stats.attempts += 1;
    const handle = () => exchange(ctx, refreshes ? form.get("refresh_token") : null, next);
    const fault = takeFault(faults, "token");
    if (!fault) return handle();
    allowEveryOrigin(ctx.req, ctx.res);
    const kind = fault.kind === "weather" ? draw(fault) : fault.kind;
    if (kind) stats.log(`fault: ${kind}`);
    if (fault.kind !== "weather") return misbehave[kind](ctx, handle, fault);
    return under(fault, ctx, () => (kind ? misbehave[kind](ctx, handle, fault) : handle()));
  };
}

/** @returns {"down" | "lose-answer" | null} */
function draw({ chances: { down, loseAnswer } = { down: 0.01, loseAnswer: 0.01 } }) {
  const drawn = Math.random();
  return drawn < down ? "down" : drawn < down + loseAnswer ? "lose-answer" : null;
}

/** Some of the time passes before the request is handled, the rest before it is answered. */
async function under({ milliseconds = 2000 }, ctx, handle) {
  const latency = Math.random() * milliseconds;
  const before = Math.random() * latency;
  await misbehave.slow(ctx, handle, { milliseconds: before });
  if (ctx.respond !== false) await delay(latency - before);
}

const misbehave = {
  down(ctx) {
    ctx.status = 503;
    ctx.type = "html";
    ctx.body = "<!doctype html><title>503</title><p>The service is unavailable.</p>";
  },
  unreachable(ctx) {
    ctx.respond = false;
    ctx.req.socket.destroy();
  },
  async slow(ctx, next, { milliseconds = 2000 }) {
    await delay(milliseconds);
    if (ctx.req.socket.destroyed) ctx.respond = false;
    else await next();
  },
  throttled(ctx, _next, { retryAfterSeconds = 2 }) {
    ctx.status = 429;
    ctx.set("Retry-After", String(retryAfterSeconds));
    ctx.body = { error: "temporarily_unavailable" };
  },
  hang(ctx) {
    ctx.respond = false;
  },
  async "lose-answer"(ctx, next) {
    await next();
    ctx.respond = false;
    ctx.req.socket.destroy();
  },
  async "cut-answer"(ctx, next) {
    await next();
    ctx.respond = false;
    ctx.res.writeHead(ctx.status, { "Content-Type": "application/json", "Content-Length": 1000 });
    ctx.res.write("{", () => ctx.req.socket.destroy());
  },
  "html-403"(ctx) {
    ctx.status = 403;
    ctx.type = "html";
    ctx.body = "<!doctype html><title>Wi-Fi</title><p>Please accept the terms of this network.</p>";
  },
  async "stall-body"(ctx, next) {
    await next();
    ctx.respond = false;
    const body = Buffer.from(JSON.stringify(ctx.body));
    ctx.res.writeHead(ctx.status, { "Content-Type": "application/json", "Content-Length": body.length });
    ctx.res.write(body.subarray(0, body.length / 2));
  },
};

/** Reads the body and puts it back, since oidc-provider wants to read the stream itself. */
async function peekBody(request) {
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
