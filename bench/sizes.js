import { brotliCompressSync, constants } from "node:zlib";
import { build } from "esbuild";

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

/** Brotli 11 of the minified ES2022 bundle, in kB of 1000 bytes. */
export async function sizeOf(contents, resolveDir) {
  const stdin = { contents, resolveDir };
  const options = { bundle: true, minify: true, format: "esm", platform: "browser", target: "es2022", write: false, logLevel: "silent" };
  const { outputFiles } = await build({ stdin, ...options });
  return brotliCompressSync(outputFiles[0].contents, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length / 1000;
}

/** What each way of renewing adds to a bundle that has `oauth2`. */
export async function waysOf(resolveDir) {
  const withWays = (...ways) =>
    sizeOf(`export { createSession, oauth2${ways.map((way) => `, ${way}`).join("")} } from "../dist/index.js"`, resolveDir);
  const without = await withWays();
  const added = {};
  for (const way of ["tokenPair", "cookie", "sliding"]) added[way] = (await withWays(way)) - without;
  return added;
}

const why = {
  refresh: "the one refresh: mark, lock, deadline, commit, what a failure means, when to try again",
  session: "the public object: options that are checked, state, events, restore, sign-in and sign-out",
  ledger: "the record that all tabs agree on, and how it steps down when storage fails",
  http: "`session.fetch`: origins, replay, `classify`",
  token: "reading tokens, and when they are due",
  platform: "the page: IndexedDB, its signals, a clock that never runs back",
  "jwt-decode": "reading JWTs",
  tabs: "lock and channel, with their fallbacks",
  errors: "`SessionError`",
};

/** What each folder costs in the core: its share of the minified bytes, of the compressed whole. */
export async function partsOf(root) {
  const contents = `import { createSession } from "./src/index.ts"; globalThis.session = createSession({ refresh: () => "token" });`;
  const options = { bundle: true, minify: true, format: "esm", platform: "browser", target: "es2022", write: false, metafile: true };
  const { outputFiles, metafile } = await build({ stdin: { contents, resolveDir: root, loader: "ts" }, absWorkingDir: root, ...options });
  const compressed = brotliCompressSync(outputFiles[0].contents, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length / 1000;
  const shares = {};
  for (const [path, { bytesInOutput }] of Object.entries(Object.values(metafile.outputs)[0].inputs)) {
    const part = /node_modules\/([^/]+)/.exec(path)?.[1] ?? /src\/([^/.]+)/.exec(path)?.[1] ?? "";
    shares[part] = (shares[part] ?? 0) + bytesInOutput;
  }
  const total = outputFiles[0].contents.length;
  return Object.entries(shares)
    .filter(([part]) => part)
    .map(([part, bytes]) => ({ part, kilobytes: (bytes / total) * compressed, why: why[part] ?? "" }))
    .filter(({ kilobytes }) => kilobytes >= 0.05)
    .sort((one, other) => other.kilobytes - one.kilobytes);
}
