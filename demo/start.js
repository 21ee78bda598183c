// `npm run demo`: the page, its API, its OAuth server and a back end with ways of its own in one process, at one address.
import { fileURLToPath } from "node:url";
import { createBackend } from "../servers/backend/index.js";
import { closeAtTheEnd, serveApp } from "./serve.js";

const USUAL_PORT = 4780;
const page = fileURLToPath(new URL("page", import.meta.url));

/**
 * Another port is taken when the wanted one is in use. With `watch`, the page reloads when a file of it or of the library changes.
 * @param {{ port?: number, accessTokenSeconds?: number, watch?: boolean }} [options]
 */
export async function startDemo({ port = USUAL_PORT, accessTokenSeconds = 10, watch = false } = {}) {
  /** @type {ReturnType<typeof createBackend>[]} */
  const backends = [];
  const companion = (/** @type {import("../servers/backend/index.js").Shared} */ shared) => {
    const backend = createBackend(shared);
    backends.push(backend);
    return backend;
  };
  const demo = await serveApp(
    { port, accessTokenSeconds, companion, dpop: true },
    {
      configFile: false,
      root: page,
      watch,
      // The few dependencies are modules already: served as they are, the first page is there at once and never reloads itself.
      optimizeDeps: { noDiscovery: true, include: [] },
    },
  );
  return {
    ...demo,
    async close() {
      await demo.close();
      for (const backend of backends) backend.closeDatabase();
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url, close } = await startDemo({ watch: true });
  console.log(`\n  tokentide demo\n  ${url}\n\n  Open more tabs, and break things. Ctrl-C ends it.\n`);
  closeAtTheEnd(close);
}
