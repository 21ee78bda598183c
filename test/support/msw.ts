import { http } from "msw";
import { type SetupServer, setupServer } from "msw/node";
import { respond } from "../../src/testing/msw.js";
import type { Server } from "../../src/testing/reply.js";

/** The same server behind Node's own `fetch`. */
export function overHttp(server: Server): SetupServer {
  return setupServer(http.all("*", respond(server)));
}
