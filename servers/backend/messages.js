import { addressOf, readBody } from "../http.js";

/**
 * @typedef {object} Message what the ways see of a request
 * @property {Record<string, unknown>} json the body, `{}` when there is none
 * @property {Record<string, string>} cookies
 * @property {string | undefined} bearer
 * @property {import("node:http").IncomingHttpHeaders} headers
 * @property {URLSearchParams} query
 * @property {Buffer} bytes the body as it came
 */

/** @returns {Promise<Message>} */
export async function readMessage(/** @type {import("node:http").IncomingMessage} */ request) {
  const bytes = await readBody(request);
  return {
    bytes,
    json: parse(bytes),
    cookies: readCookies(request.headers.cookie),
    bearer: /^Bearer (\S+)$/i.exec(request.headers.authorization ?? "")?.[1],
    headers: request.headers,
    query: addressOf(request).searchParams,
  };
}

/** @returns {Record<string, unknown>} */
function parse(/** @type {Buffer} */ bytes) {
  try {
    const value = JSON.parse(bytes.toString());
    return value && typeof value === "object" ? value : {};
  } catch {
    return {};
  }
}

/** @returns {Record<string, string>} */
function readCookies(header = "") {
  const pairs = header.split(/; */).map((pair) => pair.split(/=(.*)/s, 2));
  return Object.fromEntries(pairs.map(([name, value = ""]) => [name, value]));
}

/**
 * `SameSite=Strict`, so that only pages of this site send it: those of its other ports do, as `localhost` is one site.
 * @param {string} name
 * @param {string} value
 * @param {{ path?: string, seconds?: number, readable?: boolean }} [options] `readable`: for the page's own scripts
 */
export function setCookie(name, value, { path = "/", seconds = 0, readable = false } = {}) {
  return `${name}=${value}; Path=${path}; Max-Age=${Math.floor(seconds)}; SameSite=Strict${readable ? "" : "; HttpOnly"}`;
}

/** The body is sent as JSON, unless it is a string or bytes. */
export function sendAnswer(
  /** @type {import("node:http").ServerResponse} */ response,
  /** @type {import("../faults.js").Answer} */ { status, headers = {}, body },
) {
  const asItIs = typeof body === "string" || Buffer.isBuffer(body);
  const type = body === undefined || asItIs ? {} : { "Content-Type": "application/json" };
  response.writeHead(status, { "Cache-Control": "no-store", ...type, ...headers });
  response.end(body === undefined || asItIs ? body : JSON.stringify(body));
}
