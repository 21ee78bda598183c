// `npm run demo`: the page, its API, its OAuth server and a back end with ways of its own in one process, at one address.
import { fileURLToPath } from "node:url";
import { createServer } from "vite";
import { createBackend } from "./server/backend/index.js";
import { startServer } from "./server/index.js";

const USUAL_PORT = 4780;
const page = fileURLToPath(new URL("page", import.meta.url));
const project = fileURLToPath(new URL("..", import.meta.url));

/**
 * Another port is taken when the wanted one is in use. With `watch`, the page reloads when a file of it or of the library changes.
 * @param {{ port?: number, accessTokenSeconds?: number, watch?: boolean }} [options]
 * @returns {Promise<{ url: string, server: import("./server/index.js").Server, close: () => Promise<void> }>}
 */
export async function startDemo({ port = USUAL_PORT, accessTokenSeconds = 10, watch = false } = {}) {
  /** @type {import("vite").ViteDevServer} */
  let vite;
  /** @type {ReturnType<typeof createBackend>[]} */
  const backends = [];
  const options = {
    accessTokenSeconds,
    companion: (shared) => {
      const backend = createBackend(shared);
      backends.push(backend);
      return backend;
    },
    fallback: (request, response) => {
      // The server's name is localhost, and a sign-in that begins elsewhere would not find its way back.
      const elsewhere = /^(127\.0\.0\.1|\[::1\])(:\d+)?$/.exec(request.headers.host ?? "");
      if (elsewhere) response.writeHead(307, { location: `http://localhost${elsewhere[2] ?? ""}${request.url}` }).end();
      else vite.middlewares(request, response);
    },
  };
  const server = await startServer({ ...options, port }).catch((error) => {
    if (error.code !== "EADDRINUSE") throw error;
    return startServer({ ...options, port: 0 });
  });
  vite = await createServer({
    configFile: false,
    root: page,
    // Warnings would be about the source maps of dependencies.
    logLevel: "error",
    clearScreen: false,
    server: {
      middlewareMode: true,
      fs: { allow: [project] },
      ws: { server: server.http },
      ...(!watch && { watch: null }),
    },
    // The few dependencies are modules already: served as they are, the first page is there at once and never reloads itself.
    optimizeDeps: { noDiscovery: true, include: [] },
  });
  return {
    url: `${server.url}/`,
    server,
    async close() {
      await vite.close();
      await server.close();
      for (const backend of backends) backend.closeDatabase();
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const demo = await startDemo({ watch: true });
  console.log(`\n  tokentide demo\n  ${demo.url}\n\n  Open more tabs, and break things. Ctrl-C ends it.\n`);
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => demo.close().then(() => process.exit(0)));
}
