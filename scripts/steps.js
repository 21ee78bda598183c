// Runs the steps of a test command one after the other, keeps their counts, and ends with one line of them.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
const require = createRequire(import.meta.url);

/** A package's own command, run by this very Node: no shell, no npx, the same on every system. */
function binary(/** @type {string} */ packageName, /** @type {string} */ command = packageName) {
  const file = manifest(packageName);
  const { bin } = JSON.parse(readFileSync(file, "utf8"));
  return join(dirname(file), typeof bin === "string" ? bin : bin[command]);
}

/** Some packages hide their package.json behind `exports`: look where it lies. */
function manifest(/** @type {string} */ packageName) {
  for (const folder of require.resolve.paths(packageName) ?? []) {
    const file = join(folder, packageName, "package.json");
    try {
      readFileSync(file);
      return file;
    } catch {
      // not in this folder
    }
  }
  throw new Error(`${packageName} is not installed: run npm ci`);
}

export function createRun() {
  const total = { passed: 0, failed: 0 };
  const seconds = (/** @type {number} */ since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

  function node(/** @type {string[]} */ args, /** @type {NodeJS.ProcessEnv} */ env = {}) {
    return spawnSync(process.execPath, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } }).status === 0;
  }

  return {
    /** A step that is right or wrong as a whole. It adds a failure to the count, never a pass: only tests are passes. */
    check(/** @type {string} */ name, /** @type {string} */ packageName, /** @type {string[]} */ args, command = packageName) {
      console.log(`\n── ${name}`);
      const start = Date.now();
      const ok = node([binary(packageName, command), ...args]);
      if (!ok) total.failed += 1;
      console.log(`── ${name}: ${ok ? "ok" : "FAILED"} in ${seconds(start)}`);
    },

    /** A step of our own, which throws when it is wrong. */
    async ensure(/** @type {string} */ name, /** @type {() => Promise<string>} */ action) {
      console.log(`\n── ${name}`);
      try {
        console.log(`── ${name}: ${await action()}`);
      } catch (error) {
        total.failed += 1;
        console.log(`── ${name}: FAILED\n${error instanceof Error ? error.message : error}`);
      }
    },

    tests(/** @type {string} */ name, /** @type {string[]} */ args, /** @type {NodeJS.ProcessEnv} */ env = {}) {
      console.log(`\n── ${name}`);
      const start = Date.now();
      const folder = mkdtempSync(join(tmpdir(), "tokentide-test-"));
      const file = join(folder, "report.json");
      const ok = node([binary("vitest"), "run", "--reporter=default", "--reporter=json", `--outputFile.json=${file}`, ...args], env);
      const counts = readReport(file);
      rmSync(folder, { recursive: true });
      total.passed += counts.passed;
      // A file that could not be loaded, or an error outside of any test, fails the run without a failed test: it counts as one.
      total.failed += Math.max(counts.failed, ok ? 0 : 1);
      for (const title of counts.skipped) console.log(`── not run: ${title}`);
      console.log(`── ${name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped.length} not run in ${seconds(start)}`);
    },

    /** The last line of the command. */
    finish() {
      console.log(`\n${total.passed} passed, ${total.failed} failed`);
      process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
    },
  };
}

/** @returns {{ passed: number, failed: number, skipped: string[] }} */
export function readReport(/** @type {string} */ file) {
  /** @type {{ testResults: { name: string, status: string, assertionResults: { status: string, fullName: string, meta?: { reason?: string } }[] }[] }} */
  let report;
  try {
    report = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return { passed: 0, failed: 1, skipped: [] }; // vitest did not get as far as writing it
  }
  const tests = report.testResults.flatMap((result) => result.assertionResults);
  const unloaded = report.testResults.filter((result) => result.status === "failed" && !result.assertionResults.some(failed));
  return {
    passed: tests.filter((test) => test.status === "passed").length,
    failed: tests.filter(failed).length + unloaded.length,
    skipped: tests
      .filter((test) => test.status !== "passed" && !failed(test))
      .map(({ fullName, meta }) => (meta?.reason ? `${fullName} (${meta.reason})` : fullName)),
  };
}

const failed = (/** @type {{ status: string }} */ test) => test.status === "failed";
