import { HttpResponse, http } from "msw";
import { type SetupServer, setupServer } from "msw/node";
import { mayHaveBody, type Server } from "../../src/testing/reply.js";

/** The same server behind Node's own `fetch`. */
export function overHttp(server: Server): SetupServer {
  return setupServer(
    http.all("*", async ({ request }) => {
      const reply = await server(request as Request);
      if (reply === "lost") return HttpResponse.error();
      if (reply === "silence") return new Promise<never>(() => {});
      const { status, headers = {}, body = "", stalls } = reply;
      if (!mayHaveBody(status)) return new HttpResponse(null, { status, headers });
      return new HttpResponse(stalls ? endless(body) : body, { status, headers });
    }),
  );
}

function endless(body: string): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(body);
  return new ReadableStream({ start: (controller) => controller.enqueue(bytes.slice(0, Math.floor(bytes.length / 2))) });
}
