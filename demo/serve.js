import { fileURLToPath } from "node:url";
import { createServer } from "vite";
import { startServer } from "../servers/oauth/index.js";

const project = fileURLToPath(new URL("..", import.meta.url));

/**
 * Serves an app from its sources by Vite, at the address of its API and its OAuth server. Another port is taken when the wanted one is in use.
 * @param {import("../servers/oauth/index.js").ServerOptions} options of the server
 * @param {import("vite").InlineConfig & { watch?: boolean }} app Vite's; with `watch`, the page reloads when a file of it changes
 * @returns {Promise<{ url: string, server: import("../servers/oauth/index.js").Server, close: () => Promise<void> }>}
 */
export async function serveApp(options, { watch = false, ...app }) {
  /** @type {import("vite").ViteDevServer} */
  let vite;
  /** @type {import("../servers/oauth/index.js").ServerOptions} */
  const serverOptions = {
    ...options,
    fallback: (request, response) => {
      // The server's name is localhost, and a sign-in that begins elsewhere would not find its way back.
      const elsewhere = /^(127\.0\.0\.1|\[::1\])(:\d+)?$/.exec(request.headers.host ?? "");
      if (elsewhere) response.writeHead(307, { location: `http://localhost${elsewhere[2] ?? ""}${request.url}` }).end();
      else vite.middlewares(request, response);
    },
  };
  const server = await startServer(serverOptions).catch((error) => {
    if (error.code !== "EADDRINUSE") throw error;
    return startServer({ ...serverOptions, port: 0 });
  });
  vite = await createServer({
    // Warnings would be about the source maps of dependencies.
    logLevel: "error",
    clearScreen: false,
    ...app,
    server: {
      middlewareMode: true,
      fs: { allow: [project] },
      ws: { server: server.http },
      ...(!watch && { watch: null }),
    },
  });
  return {
    url: `${server.url}/`,
    server,
    async close() {
      await vite.close();
      await server.close();
    },
  };
}

/**
 * For a command: until Ctrl-C.
 * @param {() => Promise<void>} close
 */
export function closeAtTheEnd(close) {
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => close().then(() => process.exit(0)));
}
