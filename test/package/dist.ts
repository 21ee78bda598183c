import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const dist = join(root, "dist", "index.js");

if (!existsSync(dist)) throw new Error("dist/ is missing: run `npm run build` first, or `npm test`, which does.");

/** A folder that is gone when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "tokentide-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
