/** Lets pages of every origin read the answer, and the two headers that a client of tokens needs. */
export function allowEveryOrigin(request, response) {
  response.setHeader("Vary", "Origin");
  response.setHeader("Access-Control-Allow-Origin", request.headers.origin ?? "*");
  response.setHeader("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After");
}

/** Answers a preflight. Returns whether it was one. */
export function answerPreflight(request, response) {
  if (request.method !== "OPTIONS") return false;
  response.setHeader("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE");
  response.setHeader("Access-Control-Allow-Headers", request.headers["access-control-request-headers"] ?? "authorization");
  response.writeHead(204).end();
  return true;
}

export function sendJson(response, status, body, headers = {}) {
  response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store", ...headers });
  response.end(JSON.stringify(body));
}

/** @returns {Promise<Buffer>} */
export async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Counts a fault's `times` down. Returns the fault, or null when there is none. */
export function takeFault(faults, kind) {
  const fault = faults[kind];
  if (!fault) return null;
  if (fault.times !== undefined) {
    fault.times -= 1;
    if (fault.times <= 0) faults[kind] = null;
  }
  return fault;
}
