import { once } from "node:events";
import { createServer } from "node:http";

/**
 * @import { IncomingMessage, OutgoingHttpHeaders, Server, ServerResponse } from "node:http"
 * @import { AddressInfo, Socket } from "node:net"
 *
 * @typedef {(request: IncomingMessage, response: ServerResponse) => unknown} Handler returns, or resolves to, whether the request was its own
 *
 * @typedef {object} Address
 * @property {number} [port] default: a free one
 * @property {string} [host] the address to listen on; default `127.0.0.1`
 * @property {string | ((port: number) => string)} [origin] what pages call the server; default `http://localhost:<port>`
 */

/**
 * Listens on a free port, or on the one given; `close` ends every connection at once.
 * @param {Address} address
 */
export async function listen({ port: wanted = 0, host = "127.0.0.1", origin = (port) => `http://localhost:${port}` }) {
  const http = createServer();
  /**
   * Those of WebSockets too, which `closeAllConnections` leaves open.
   * @type {Set<Socket>}
   */
  const sockets = new Set();
  http.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  http.listen(wanted, host);
  await once(http, "listening");
  const { port } = /** @type {AddressInfo} */ (http.address());
  return {
    http,
    port,
    url: new URL(typeof origin === "function" ? origin(port) : origin).origin,
    async close() {
      const closed = once(http, "close");
      http.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Lets each request through the handlers until one says that it was its own; answers 500 when one throws. */
export function serve(/** @type {Server} */ http, /** @type {Handler[]} */ handlers) {
  http.on("request", async (request, response) => {
    try {
      for (const handle of handlers) {
        if (await handle(request, response)) return;
      }
    } catch (error) {
      // A client that went away in the middle of its request is no fault of the server.
      if (!request.socket.destroyed) {
        console.error(error);
        if (!response.headersSent) sendJson(response, 500, { error: "server_error" });
      }
    }
  });
}

export function notFound(/** @type {IncomingMessage} */ _request, /** @type {ServerResponse} */ response) {
  sendJson(response, 404, { error: "not_found" });
}

/** Path and query of a request. Its origin means nothing. Node types `url` as optional, since the client's messages have none. */
export const addressOf = (/** @type {IncomingMessage} */ { url = "/" }) => new URL(url, "http://server");

/** Lets pages of every origin read the answer, and the two headers that a client of tokens needs. */
export function allowEveryOrigin(/** @type {IncomingMessage} */ request, /** @type {ServerResponse} */ response) {
  response.setHeader("Vary", "Origin");
  response.setHeader("Access-Control-Allow-Origin", request.headers.origin ?? "*");
  response.setHeader("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After");
}

/**
 * Lets pages of these origins alone read the answer, and send cookies.
 * @param {IncomingMessage} request
 * @param {ServerResponse} response
 * @param {readonly string[]} origins
 * @param {string} exposed the headers that pages may read
 */
export function allowOrigins(request, response, origins, exposed) {
  const { origin } = request.headers;
  response.setHeader("Vary", "Origin");
  if (origin === undefined || !origins.includes(origin)) return;
  response.setHeader("Access-Control-Allow-Origin", origin);
  response.setHeader("Access-Control-Allow-Credentials", "true");
  response.setHeader("Access-Control-Expose-Headers", exposed);
}

/** Answers a preflight. Returns whether it was one. */
export function answerPreflight(/** @type {IncomingMessage} */ request, /** @type {ServerResponse} */ response) {
  if (request.method !== "OPTIONS") return false;
  response.setHeader("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE");
  response.setHeader("Access-Control-Allow-Headers", request.headers["access-control-request-headers"] ?? "authorization");
  response.writeHead(204).end();
  return true;
}

/**
 * @param {ServerResponse} response
 * @param {number} status
 * @param {unknown} body
 * @param {OutgoingHttpHeaders} [headers]
 */
export function sendJson(response, status, body, headers = {}) {
  response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store", ...headers });
  response.end(JSON.stringify(body));
}

/** @returns {Promise<Buffer>} */
export async function readBody(/** @type {IncomingMessage} */ request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
