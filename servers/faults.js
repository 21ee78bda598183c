import { setTimeout as delay } from "node:timers/promises";

/**
 * @typedef {object} TokenFault
 * @property {"down" | "unreachable" | "slow" | "late-answer" | "throttled" | "hang" | "lose-answer" | "cut-answer" | "html-403" | "stall-body" | "weather"} kind
 *   `down`: 503, a proxy's page. `unreachable`: the connection breaks before anything is handled. `slow`: handled after a while, or not
 *   at all when the client has gone by then. `late-answer`: handled at once, answered after a while. `throttled`: 429 with `Retry-After`. `hang`: never handled, never answered.
 *   `lose-answer`: handled (a refresh token is rotated), then the connection breaks. `html-403`: a captive portal.
 *   `cut-answer`: handled, then the connection breaks after the headers, so that the browser does not send the request again by itself.
 *   `stall-body`: handled, then half of the answer is sent and no more. `weather`: each request takes its time, and has its chance to be
 *   met by `down` or by `lose-answer`.
 * @property {number} [milliseconds] of `slow` and `late-answer`: how long; of `weather`: at most how long; default 2000
 * @property {{ down: number, loseAnswer: number }} [chances] of `weather`, from 0 to 1; default 0.01 each
 * @property {number} [retryAfterSeconds] of `throttled`; default 2
 * @property {number} [times] how many requests it meets; default: all, until it is taken away
 *
 * @typedef {{ kind: "unauthorized", times?: number }} ApiFault every call is answered with 401
 *
 * @typedef {{ token: TokenFault | null, api: ApiFault | null }} Faults
 *
 * @typedef {object} Answer
 * @property {number} status
 * @property {Record<string, string | string[]>} [headers]
 * @property {unknown} [body] sent as JSON, unless it is a string or bytes
 *
 * @typedef {object} Exchange
 * @property {import("node:http").IncomingMessage} request
 * @property {import("node:http").ServerResponse} response
 * @property {() => Promise<Answer>} handle what would happen without a fault
 *
 * @typedef {Answer | null} Outcome null when there is nothing (more) to be sent
 */

/**
 * Counts a fault's `times` down. Returns the fault, or null when there is none.
 * @template {Record<string, { times?: number } | null>} AllFaults
 * @template {keyof AllFaults & string} Kind
 * @param {AllFaults} faults
 * @param {Kind} kind
 * @returns {AllFaults[Kind]}
 */
export function takeFault(faults, kind) {
  const fault = faults[kind];
  if (fault?.times !== undefined) {
    fault.times -= 1;
    if (fault.times <= 0) clear(faults, kind);
  }
  return fault;
}

function clear(/** @type {Record<string, object | null>} */ faults, /** @type {string} */ kind) {
  faults[kind] = null;
}

/**
 * One request meets a fault.
 * @param {TokenFault} fault
 * @param {Exchange} exchange
 * @param {(kind: string) => void} log
 * @returns {Promise<Outcome>}
 */
export async function meetFault(fault, exchange, log) {
  const kind = fault.kind === "weather" ? draw(fault) : fault.kind;
  if (kind) log(`fault: ${kind}`);
  const outcome = () => (kind ? misbehave[kind](exchange, fault) : exchange.handle());
  return fault.kind === "weather" ? under(fault, exchange.request, outcome) : outcome();
}

/** @returns {"down" | "lose-answer" | null} */
function draw(/** @type {TokenFault} */ { chances: { down, loseAnswer } = { down: 0.01, loseAnswer: 0.01 } }) {
  const drawn = Math.random();
  return drawn < down ? "down" : drawn < down + loseAnswer ? "lose-answer" : null;
}

/**
 * Some of the time passes before the request is handled, the rest before it is answered.
 * @param {TokenFault} fault
 * @param {import("node:http").IncomingMessage} request
 * @param {() => Outcome | Promise<Outcome>} outcome
 */
async function under({ milliseconds = 2000 }, request, outcome) {
  const latency = Math.random() * milliseconds;
  const before = Math.random() * latency;
  await delay(before);
  if (request.socket.destroyed) return null;
  const answer = await outcome();
  if (answer) await delay(latency - before);
  return answer;
}

/** @type {Record<Exclude<TokenFault["kind"], "weather">, (exchange: Exchange, fault: TokenFault) => Outcome | Promise<Outcome>>} */
const misbehave = {
  down: () => page(503, "<!doctype html><title>503</title><p>The service is unavailable.</p>"),
  unreachable({ request }) {
    request.socket.destroy();
    return null;
  },
  async slow({ request, handle }, { milliseconds = 2000 }) {
    await delay(milliseconds);
    return request.socket.destroyed ? null : handle();
  },
  async "late-answer"({ handle }, { milliseconds = 2000 }) {
    const answer = await handle();
    await delay(milliseconds);
    return answer;
  },
  throttled: (_exchange, { retryAfterSeconds = 2 }) => ({
    status: 429,
    headers: { "Retry-After": String(retryAfterSeconds) },
    body: { error: "temporarily_unavailable" },
  }),
  hang: () => null,
  async "lose-answer"({ request, handle }) {
    await handle();
    request.socket.destroy();
    return null;
  },
  async "cut-answer"({ request, response, handle }) {
    // A cookie in the headers would be kept: it is lost as well.
    const { status, headers: { "Set-Cookie": _lost, ...headers } = {} } = await handle();
    response.writeHead(status, { ...headers, "Content-Type": "application/json", "Content-Length": 1000 });
    response.write("{", () => request.socket.destroy());
    return null;
  },
  "html-403": () => page(403, "<!doctype html><title>Wi-Fi</title><p>Please accept the terms of this network.</p>"),
  async "stall-body"({ response, handle }) {
    const { status, headers, body } = await handle();
    const bytes = Buffer.from(JSON.stringify(body));
    response.writeHead(status, { ...headers, "Content-Type": "application/json", "Content-Length": bytes.length });
    response.write(bytes.subarray(0, bytes.length / 2));
    return null;
  },
};

const page = (/** @type {number} */ status, /** @type {string} */ body) => ({
  status,
  headers: { "Content-Type": "text/html; charset=utf-8" },
  body,
});
