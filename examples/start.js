// `npm run example:react`, `npm run example:vue`: the app, its API and its OAuth server in one process, at one address.
import { fileURLToPath } from "node:url";
import { closeAtTheEnd, serveApp } from "../demo/serve.js";
import { notesRoutes } from "./notes.js";

const usualPorts = { react: 4782, vue: 4783 };

/**
 * Another port is taken when the wanted one is in use. With `watch`, the page follows what is changed in its files.
 * @param {keyof typeof usualPorts} name
 * @param {{ port?: number, accessTokenSeconds?: number, watch?: boolean }} [options]
 */
export function startExample(name, { port = usualPorts[name], accessTokenSeconds = 60, watch = false } = {}) {
  const path = (/** @type {string} */ relative) => fileURLToPath(new URL(relative, import.meta.url));
  return serveApp(
    { port, accessTokenSeconds, routes: notesRoutes() },
    // One cache for each, since they may run at once.
    { root: path(name), cacheDir: path(`../node_modules/.vite/example-${name}`), watch },
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const name = process.argv[2];
  if (name !== "react" && name !== "vue") throw new TypeError(`examples/start.js: name one of react and vue; it was ${name}`);
  const { url, close } = await startExample(name, { watch: true });
  console.log(`\n  tokentide, an app in ${name}\n  ${url}\n\n  A token lives for a minute; open it in several tabs. Ctrl-C ends it.\n`);
  closeAtTheEnd(close);
}
