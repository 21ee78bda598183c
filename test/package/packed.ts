import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { manifest, peers, root } from "./dist.js";

export const npm = process.platform === "win32" ? "npm.cmd" : "npm";

/** Angular's packages are compiled by the app's build; without one, as here, this does it at run time, and has to be loaded first. */
export const compiler = "@angular/compiler";

/** Packs what is in dist/, without building it again: other tests read it meanwhile. */
export function pack(folder: string): { tarball: string; files: string[] } {
  const answer = execFileSync(npm, ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], { cwd: root, encoding: "utf8" });
  const [{ filename, files }] = JSON.parse(answer) as [{ filename: string; files: { path: string }[] }];
  return { tarball: join(folder, filename), files: files.map(({ path }) => path).sort() };
}

/** An app that installed the tarball. Dependencies and peers are linked from this checkout, so that no registry is asked. */
export function install(folder: string, tarball: string): string {
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "tokentide"), { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", join(modules, "tokentide"), "--strip-components=1"]);
  for (const name of [...Object.keys(manifest.dependencies), ...peers, compiler]) {
    mkdirSync(join(modules, name, ".."), { recursive: true });
    symlinkSync(join(root, "node_modules", name), join(modules, name), "junction");
  }
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  return folder;
}
