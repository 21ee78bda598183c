import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "esbuild";
import { FORMER } from "../targets.js";

const here = fileURLToPath(new URL("..", import.meta.url));
const root = join(here, "..");
/** Its own lock file had this one. */
const ky = join(here, "node_modules", "ky-1", "distribution", "index.js");

/**
 * Takes the sources of the build that ours is compared with out of git, for as long as `use` needs them. In a clone without that commit, `use`
 * gets undefined, and `log` a sentence.
 */
export async function withFormer<T>(
  use: (former: Plugin | undefined) => Promise<T>,
  log: (line: string) => void,
  commit = FORMER,
): Promise<T> {
  const folder = join(root, "node_modules", ".cache", `tokentide-former-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  try {
    return await use(extract(folder, commit, log) ? insteadOfOurs(folder) : undefined);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function extract(folder: string, commit: string, log: (line: string) => void): boolean {
  const archive = join(folder, "former.tar");
  try {
    execFileSync("git", ["archive", "--output", archive, commit, "src"], { cwd: root, stdio: "pipe" });
    execFileSync("tar", ["-xf", "former.tar"], { cwd: folder, stdio: "pipe" });
  } catch {
    log(`This clone does not have the commit ${commit}, so nothing is compared with it. A full clone has it.`);
    return false;
  }
  if (existsSync(ky)) return true;
  log("bench/node_modules lacks ky-1, so nothing is compared with the former build. `npm ci` in bench/ installs it.");
  return false;
}

/** Bundles the former sources wherever ours are imported. */
const insteadOfOurs = (folder: string): Plugin => ({
  name: "former",
  setup({ onResolve }) {
    onResolve({ filter: /\/src\/index\.js$/ }, () => ({ path: join(folder, "src", "index.ts") }));
    onResolve({ filter: /^ky$/ }, () => ({ path: ky }));
  },
});
