import type { TokenServer } from "./public.js";
import { bytesOf, isResponse, mayHaveBody, type Reply, type Server } from "./reply.js";

type Resolver = (info: { request: Request }) => Promise<Response>;

/** The part of msw's `http` that the handlers need. The test passes its own copy of msw. */
export interface MswHttp<Handler> {
  post(url: string, resolver: Resolver): Handler;
}

/** Handlers for msw 2 with the server's token and revocation endpoints: `setupServer(...mswHandlers(http, server))`. */
export function mswHandlers<Handler>(http: MswHttp<Handler>, server: TokenServer): Handler[] {
  return [server.tokenEndpoint, server.revocationEndpoint].map((url) => http.post(url, respond(server.handle)));
}

/** A server as a resolver of msw. */
export function respond(server: Server): Resolver {
  return async ({ request }) => responseOf(await server(request));
}

/** The response of msw for a reply. For `"silence"` the promise never settles. */
export async function responseOf(reply: Reply | Response): Promise<Response> {
  if (isResponse(reply)) return reply;
  if (reply === "lost") return Response.error();
  if (reply === "silence") return new Promise<never>(() => {});
  const { status, headers = {}, body = "", stalls } = reply;
  const half = () => new ReadableStream({ start: (controller) => controller.enqueue(bytesOf(reply).half) });
  return new Response(mayHaveBody(status) ? (stalls ? half() : body) : null, { status, headers });
}
