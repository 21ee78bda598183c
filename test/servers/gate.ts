import { request as send } from "node:http";
import { type Answer, meetFault, type TokenFault, takeFault } from "../../servers/faults.js";
import { listen, readBody, serve } from "../../servers/http.js";

export interface Gate {
  /** What pages call. */
  readonly url: string;
  /** Requests to the path that renews. One whose proof is refused is not counted: the client sends it once more (RFC 9449). */
  attempts: number;
  /** What the next ones of them meet. */
  fault: TokenFault | null;
  close(): Promise<void>;
}

/** A proxy in front of a server that cannot be told to misbehave: counts the requests that renew, and lets them meet faults. */
export async function openGate(target: () => string, renews: (path: string) => boolean, port = 0): Promise<Gate> {
  const { http, url, close } = await listen({ port });
  const faults: { renewal: TokenFault | null } = { renewal: null };
  const gate = {
    url,
    close,
    attempts: 0,
    get fault() {
      return faults.renewal;
    },
    set fault(fault) {
      faults.renewal = fault;
    },
  };
  serve(http, [
    async (request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse) => {
      const bytes = await readBody(request);
      const renewal = request.method !== "OPTIONS" && renews(new URL(request.url ?? "/", url).pathname);
      if (renewal) gate.attempts += 1;
      const handle = () => forward(target(), request, bytes);
      const fault = renewal ? takeFault(faults, "renewal") : null;
      const answer = fault ? await meetFault(fault, { request, response, handle }, () => {}) : await handle();
      if (renewal && /"(use_dpop_nonce|invalid_dpop_proof)"/.test(`${answer?.body}`)) gate.attempts -= 1;
      if (answer)
        response
          .writeHead(answer.status, answer.headers)
          .end(typeof answer.body === "object" && !Buffer.isBuffer(answer.body) ? JSON.stringify(answer.body) : answer.body);
      return true;
    },
  ]);
  return gate;
}

/** On a connection of its own, which a restart of the server cannot break. */
function forward(target: string, { method, url = "/", headers }: import("node:http").IncomingMessage, bytes: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const forwarded = send(new URL(url, target), { method: method ?? "GET", headers, agent: false }, async (answer) => {
      const { "transfer-encoding": _, ...rest } = answer.headers;
      resolve({ status: answer.statusCode ?? 502, headers: rest as Record<string, string>, body: await readBody(answer) });
    });
    forwarded.on("error", reject);
    forwarded.end(bytes);
  });
}
