import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

/** A plain http proxy that takes every host for this machine. */
export async function startProxy(): Promise<{ address: string; close(): Promise<void> }> {
  const server = createServer((incoming, outgoing) => {
    const { port, pathname, search, host } = new URL(incoming.url ?? "/", `http://${incoming.headers.host}`);
    const forwarded = request(
      { host: "127.0.0.1", port, path: pathname + search, method: incoming.method, headers: { ...incoming.headers, host } },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    forwarded.on("error", () => outgoing.destroy());
    // A page that gives up takes its request with it.
    outgoing.on("close", () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
