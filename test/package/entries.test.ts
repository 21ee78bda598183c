import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { entries, manifest, peers, root } from "./dist.js";

const nameOf = (path: string) => `tokentide${path.slice(1)}`;

/** What is left of a program in a browser's bundle. With `guessing`, nothing is left out because the package says so. */
async function bundle(source: string, { guessing = true } = {}) {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: root },
    external: [...peers, ...Object.keys(manifest.dependencies)],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
    logLevel: "silent",
    ...(!guessing && { plugins: [impure] }),
  });
  return outputFiles[0]!.text;
}

/** Hides `"sideEffects": false` from the bundler, so that it keeps whatever a module does when it is loaded. */
const impure: import("esbuild").Plugin = {
  name: "impure",
  setup({ onResolve, resolve }) {
    onResolve({ filter: /./ }, async ({ path, pluginData, ...rest }) => {
      if (pluginData === "asked") return undefined;
      const found = await resolve(path, { ...rest, pluginData: "asked" });
      return found.external ? found : { ...found, sideEffects: true };
    });
  },
};

describe("the entries of the package", () => {
  it("are the files at the top of src/, and no others", () => {
    const files = readdirSync(join(root, "src")).filter((file) => file.endsWith(".ts") && file !== "errors.ts");
    const names = files.map((file) => (file === "index.ts" ? "." : `./${file.slice(0, -3)}`));
    expect(entries.map(({ path }) => path).sort()).toEqual(names.sort());
  });

  it.each(entries.map((entry) => [nameOf(entry.path), entry] as const))("%s names its types and its module by one pattern", (_, entry) => {
    const file = entry.path === "." ? "index" : entry.path.slice(2);
    expect(entry).toEqual({ path: entry.path, types: `./dist/${file}.d.ts`, default: `./dist/${file}.js` });
  });

  // As the script of a worker, the file does something. A bundler that trusts the package leaves it out of a page.
  const acts = "./vault-worker";

  it.each(entries.filter(({ path }) => path !== acts).map(({ path }) => nameOf(path)))(
    "R40 %s leaves nothing in a bundle that uses nothing of it",
    async (name) => {
      // The imports of other packages remain: whether those have side effects is theirs to say.
      const rest = (await bundle(`import "${name}";`, { guessing: false })).replace(/import *([\w{][^"]* *from *)?"[^"]+";?/g, "");
      expect(rest.trim()).toBe("");
    },
  );

  it("R40 tokentide/vault-worker is one file that imports nothing, and leaves nothing in the bundle of a page that does not use it", async () => {
    const name = nameOf(acts);
    expect(readFileSync(join(root, "dist", "vault-worker.js"), "utf8")).not.toMatch(/\bimport\s*[("{*]|\bfrom\s*"/);
    expect(await bundle(`import "${name}";`)).toBe("");
    expect(await bundle(`import { keepTokens } from "${name}"; globalThis.keep = keepTokens;`)).toContain("credential-lost");
  });

  it("leaves out of a bundle what is not used: the session, for one who needs the error only", async () => {
    expect((await bundle(`export { SessionError } from "tokentide";`)).length).toBeLessThan(1000);
  });

  it("has nothing of the developers' tools in an app that does not import them, and has them in one that does", async () => {
    const app = `import { createSession, oauth2 } from "tokentide"; globalThis.session = createSession({ refresh: oauth2({ issuer: "/", clientId: "spa" }) });`;
    const tools = `import { mountDevtools } from "tokentide/devtools"; mountDevtools(globalThis.session);`;
    const isThere = async (source: string) => (await bundle(source)).includes("tokentide-devtools");
    expect([await isThere(app), await isThere(app + tools), await isThere(`${app} if (false) { ${tools.replace(/.*; /, "")} }`)]).toEqual([
      false,
      true,
      false,
    ]);
  });

  it("has no framework that everybody must install", () => {
    expect(peers.length).toBeGreaterThan(0);
    expect(peers.filter((name) => manifest.peerDependenciesMeta[name]?.optional !== true)).toEqual([]);
    expect(peers.filter((name) => name in manifest.dependencies)).toEqual([]);
  });

  it("says in tokentide/react, first of all, that it is for the client", () => {
    expect(readFileSync(join(root, "dist", "react.js"), "utf8")).toMatch(/^"use client";/);
  });
});
