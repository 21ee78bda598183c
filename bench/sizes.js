import { brotliCompressSync, constants } from "node:zlib";
import { build } from "esbuild";

/** @satisfies {import("esbuild").BuildOptions} */
const minified = { bundle: true, minify: true, format: "esm", platform: "browser", target: "es2022", write: false };

/** Brotli 11, in kB of 1000 bytes. */
const compressed = (/** @type {Uint8Array} */ bytes) =>
  brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length / 1000;

/** One bundle is one file. */
function contentsOf(/** @type {import("esbuild").OutputFile[]} */ [file]) {
  if (!file) throw new Error("esbuild wrote no file");
  return file.contents;
}

/** What an app imports, and no more of it than it uses. */
export const imports = {
  "60-line floor": `export { createFloor } from "./floor.js"`,
  tokentide: `export { createSession } from "../dist/index.js"`,
  "tokentide with oauth2": `export { createSession, oauth2 } from "../dist/index.js"`,
  "@badgateway/oauth2-client": `export { OAuth2Client, OAuth2Fetch } from "@badgateway/oauth2-client"`,
  "ky with a hook": `export { default } from "ky"`,
  "keycloak-js": `export { default } from "keycloak-js"`,
  "oidc-client-ts": `export { UserManager } from "oidc-client-ts"`,
  "supertokens-website": `export { default } from "supertokens-website"`,
  "@supabase/auth-js": `export { AuthClient } from "@supabase/auth-js"`,
  "axios + axios-auth-refresh": `export { default as axios } from "axios"; export { default as refresh } from "axios-auth-refresh"`,
  "@okta/okta-auth-js": `export { OktaAuth } from "@okta/okta-auth-js"`,
  "@auth0/auth0-spa-js": `export { createAuth0Client } from "@auth0/auth0-spa-js"`,
  "jwt-autorefresh": `export { default } from "jwt-autorefresh"`,
};

/** Of the minified ES2022 bundle. */
export async function sizeOf(/** @type {string} */ contents, /** @type {string} */ resolveDir) {
  const { outputFiles } = await build({ ...minified, stdin: { contents, resolveDir }, logLevel: "silent" });
  return compressed(contentsOf(outputFiles));
}

/** What each way of renewing adds to a bundle that has `oauth2`. */
export async function waysOf(/** @type {string} */ resolveDir) {
  const withWays = (/** @type {string[]} */ ...ways) =>
    sizeOf(`export { createSession, oauth2${ways.map((way) => `, ${way}`).join("")} } from "../dist/index.js"`, resolveDir);
  const without = await withWays();
  /** @type {Record<string, number>} */
  const added = {};
  for (const way of ["tokenPair", "cookie", "sliding"]) added[way] = (await withWays(way)) - without;
  return added;
}

/** @type {Record<string, string>} */
const why = {
  refresh: "the one refresh: lease, lock, deadline, commit, what a failure means, when to try again",
  session: "the public object: options that are checked, state, events, restore, sign-in and sign-out",
  ledger: "the record that all tabs agree on, and how it steps down when storage fails",
  http: "`session.fetch`: origins, replay, `classify`",
  token: "reading tokens, and when they are due",
  platform: "the page: IndexedDB, its signals, a clock that never runs back",
  "jwt-decode": "reading JWTs",
  tabs: "lock and channel, with their fallbacks",
  limits: "the idle limit and the greatest age of a session",
  errors: "`SessionError`",
};

/** What each folder costs in the core: its share of the minified bytes, of the compressed whole. */
export async function partsOf(/** @type {string} */ root) {
  const contents = `import { createSession } from "./src/index.ts"; globalThis.session = createSession({ name: "a", refresh: () => "token" });`;
  const { outputFiles, metafile } = await build({
    ...minified,
    stdin: { contents, resolveDir: root, loader: "ts" },
    absWorkingDir: root,
    metafile: true,
  });
  const bundle = contentsOf(outputFiles);
  /** @type {Record<string, number>} */
  const shares = {};
  for (const [path, { bytesInOutput }] of Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs))) {
    const part = /node_modules\/([^/]+)/.exec(path)?.[1] ?? /src\/([^/.]+)/.exec(path)?.[1] ?? "";
    shares[part] = (shares[part] ?? 0) + bytesInOutput;
  }
  const [total, size] = [bundle.length, compressed(bundle)];
  return Object.entries(shares)
    .filter(([part]) => part)
    .map(([part, bytes]) => ({ part, kilobytes: (bytes / total) * size, why: why[part] ?? "" }))
    .filter(({ kilobytes }) => kilobytes >= 0.05)
    .sort((one, other) => other.kilobytes - one.kilobytes);
}
