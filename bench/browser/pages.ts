import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import { imports } from "../sizes.js";

export interface Page {
  readonly type: string;
  readonly content: string;
}

/** Whose bundles are compiled beside ours: the least that refreshes, and what apps call their API with. */
export const compared = ["60-line floor", "ky with a hook"] as const;

/** Who restores a session in a page, by name, and the file in `restored/` that says how. */
export const restoring = {
  "by hand, localStorage": "local-storage",
  "by hand, IndexedDB": "indexeddb",
  "tokentide with oauth2": "tokentide",
  "oidc-client-ts": "oidc-client-ts",
  "@supabase/auth-js": "supabase-auth-js",
  "@auth0/auth0-spa-js": "auth0-spa-js",
} as const;

export type Restoring = keyof typeof restoring;

/** Where the page is that has a bundle's text. */
export const pathOf = (name: string) => `/start/${encodeURIComponent(name)}`;
/** Where the page is that restores a session and calls the API, as soon as it can. */
export const restoredPathOf = (name: Restoring) => `/restored/${restoring[name]}`;
/** The page that has the text of the former build. */
export const FORMER_PATH = "/start-former";

const options = {
  bundle: true,
  minify: true,
  target: "es2022",
  write: false,
  globalName: "app",
  platform: "browser",
  logLevel: "silent",
  define: { "process.env.NODE_ENV": '"production"' },
} as const;

const folder = fileURLToPath(new URL(".", import.meta.url));

async function fromFile(name: string, format: "esm" | "iife", plugin?: Plugin): Promise<string> {
  const { outputFiles } = await build({ ...options, entryPoints: [`${folder}${name}`], format, plugins: plugin ? [plugin] : [] });
  return outputFiles[0]!.text;
}

async function fromText(contents: string, format: "esm" | "iife", resolveDir: string): Promise<string> {
  const { outputFiles } = await build({ ...options, stdin: { contents, resolveDir }, format });
  return outputFiles[0]!.text;
}

const html = (body: string): Page => ({ type: "text/html", content: `<!doctype html><title>tokentide</title>${body}` });
const module = (content: string): Page => ({ type: "text/javascript", content });
/** Text that a page has, and does not run by itself. */
const source = (text: string) => html(`<script type="text/plain" id="source">${text.replaceAll("</", "<\\/")}</script>`);
const runs = (path: string, script: string): Record<string, Page> => ({
  [path]: html(`<script type="module" src="${path}.js"></script>`),
  [`${path}.js`]: module(script),
});

/** The tab that counts what it does, with our session or, by the plugin, with the former one. */
export const tabPage = async (former?: Plugin) => runs("/tab", await fromFile("tab.ts", "esm", former));

/** The page whose sessions differ in the option `dpop`. */
export const boundPage = async () => runs("/bound", await fromFile("bound.ts", "esm"));

/** All pages for the start of a page: of ours, of the former build if there is one, by hand, and of others. */
export async function startPages(former: Plugin | undefined): Promise<Record<string, Page>> {
  const bundles = compared.map(async (name) => [pathOf(name), source(await fromText(imports[name], "iife", `${folder}..`))] as const);
  return {
    ...(await tabPage()),
    ...runs("/first", await fromFile("first.ts", "esm")),
    ...runs("/by-hand", `fetch("/api/me", { headers: { authorization: "Bearer ACCESS_TOKEN" } }).then((response) => response.text());`),
    ...runs("/stored", await fromFile("stored.ts", "esm")),
    "/start": source(await fromFile("app.ts", "iife")),
    ...(former && { [FORMER_PATH]: source(await fromFile("app.ts", "iife", former)) }),
    ...Object.fromEntries(await Promise.all(bundles)),
  };
}

/** For each that restores a session: a page that does, and one that has the text of its bundle. */
export async function restoredPages(): Promise<Record<string, Page>> {
  const pages: Record<string, Page> = {};
  for (const name of Object.keys(restoring) as Restoring[]) {
    const path = restoredPathOf(name);
    const call = `import { start } from "./restored/${restoring[name]}.js"; start().then((call) => call()).then((response) => response.text());`;
    Object.assign(pages, runs(path, await fromText(call, "esm", folder)));
    pages[pathOf(name)] = source(await fromFile(`restored/${restoring[name]}.ts`, "iife"));
  }
  return pages;
}
