import { bytesOf, isResponse, mayHaveBody, type Server } from "./reply.js";
import type { TokenServer } from "./token-server.js";

type Resolver = (info: { request: Request }) => Promise<Response>;

/** What is used of msw's `http`. It is handed in, so that it is the copy that the app's tests have. */
export interface MswHttp<Handler> {
  post(url: string, resolver: Resolver): Handler;
}

/** The token and the revocation endpoint of a strict server as handlers for msw 2: `setupServer(...mswHandlers(http, server))`. */
export function mswHandlers<Handler>(http: MswHttp<Handler>, server: TokenServer): Handler[] {
  return [server.tokenEndpoint, server.revocationEndpoint].map((url) => http.post(url, respond(server.handle)));
}

/** A server as a resolver of msw's. */
export function respond(server: Server): Resolver {
  return async ({ request }) => {
    const reply = await server(request);
    if (isResponse(reply)) return reply;
    if (reply === "lost") return Response.error();
    if (reply === "silence") return new Promise<never>(() => {});
    const { status, headers = {}, body = "", stalls } = reply;
    const half = () => new ReadableStream({ start: (controller) => controller.enqueue(bytesOf(reply).half) });
    return new Response(mayHaveBody(status) ? (stalls ? half() : body) : null, { status, headers });
  };
}
