import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

export const root = fileURLToPath(new URL("../..", import.meta.url));

interface Manifest {
  version: string;
  exports: Record<string, { types: string; default: string } | string>;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  peerDependenciesMeta: Record<string, { optional: boolean }>;
}

export const manifest: Manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
export const peers = Object.keys(manifest.peerDependencies);
/** What can be imported: `.`, `./react` and so on. */
export const entries = Object.entries(manifest.exports).flatMap(([path, files]) => (typeof files === "string" ? [] : [{ path, ...files }]));

if (!existsSync(join(root, "dist", "index.js"))) throw new Error("dist/ is missing: run `npm run build` first, or `npm test`, which does.");

/** A folder that is gone when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "tokentide-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
