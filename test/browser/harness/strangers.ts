import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A server of another origin, which every page may call, and which remembers what it was sent. */
export interface Strangers {
  readonly url: string;
  /** Method, path, and whether there was an `Authorization` header: never what it said. */
  readonly requests: { method: string; path: string; authorized: boolean }[];
  close(): Promise<void>;
}

export async function startStrangers(): Promise<Strangers> {
  const requests: Strangers["requests"] = [];
  const http = createServer((request, response) => {
    const { method = "", url: path = "", headers } = request;
    requests.push({ method, path, authorized: headers.authorization !== undefined });
    // As inviting as CORS can be: a bearer would get here if it were sent.
    response.writeHead(200, {
      "access-control-allow-origin": "*",
      "access-control-allow-headers": "authorization, *",
      "access-control-allow-methods": "*",
      "content-type": "application/json",
    });
    response.end("{}");
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  return {
    url: `http://localhost:${port}`,
    requests,
    async close() {
      const closed = once(http, "close");
      http.close();
      http.closeAllConnections();
      await closed;
    },
  };
}
