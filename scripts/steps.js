// Runs the steps of a test command one after the other, keeps their counts, and ends with one line of them.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
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
  let passed = 0;
  /** What failed, for the end: in half an hour's output nobody finds it. @type {string[]} */
  const failures = [];
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
      if (!ok) failures.push(name);
      console.log(`── ${name}: ${ok ? "ok" : "FAILED"} in ${seconds(start)}`);
    },

    /** A step of our own, which throws when it is wrong. */
    async ensure(/** @type {string} */ name, /** @type {() => Promise<string>} */ action) {
      console.log(`\n── ${name}`);
      try {
        console.log(`── ${name}: ${await action()}`);
      } catch (error) {
        failures.push(name);
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
      passed += counts.passed;
      failures.push(...counts.failed);
      // An error outside of any test fails the run without a failed test: it counts as one.
      if (!ok && counts.failed.length === 0) failures.push(`${name}: an error outside of any test`);
      for (const title of counts.skipped) console.log(`── not run: ${title}`);
      console.log(
        `── ${name}: ${counts.passed} passed, ${counts.failed.length} failed, ${counts.skipped.length} not run in ${seconds(start)}`,
      );
    },

    /** What failed, and the last line of the command. */
    finish() {
      console.log("");
      for (const failure of failures) console.log(`── failed: ${failure}`);
      console.log(`${passed} passed, ${failures.length} failed`);
      process.exitCode = failures.length === 0 && passed > 0 ? 0 : 1;
    },
  };
}

/**
 * @typedef {{ status: string, fullName: string, failureMessages?: string[], meta?: { reason?: string } }} Test
 * @typedef {{ name: string, status: string, message?: string, assertionResults: Test[] }} TestFile
 */

/** @returns {{ passed: number, failed: string[], skipped: string[] }} */
export function readReport(/** @type {string} */ file) {
  /** @type {TestFile[]} */
  let files;
  try {
    files = JSON.parse(readFileSync(file, "utf8")).testResults;
  } catch {
    return { passed: 0, failed: ["there is no report: vitest did not get as far as writing it"], skipped: [] };
  }
  const tests = files.flatMap(({ assertionResults }) => assertionResults);
  return {
    passed: tests.filter(({ status }) => status === "passed").length,
    failed: files.flatMap(failuresOf),
    skipped: tests
      .filter(({ status }) => status !== "passed" && status !== "failed")
      .map(({ fullName, meta }) => (meta?.reason ? `${fullName} (${meta.reason})` : fullName)),
  };
}

/** @returns {string[]} */
function failuresOf(/** @type {TestFile} */ { name, status, message, assertionResults }) {
  const failed = assertionResults.filter((test) => test.status === "failed");
  const where = relative(root, name);
  // A file that could not be loaded has no failed test.
  if (failed.length === 0) return status === "failed" ? [`${where} could not be run: ${firstLine(message)}`] : [];
  return failed.map(({ fullName, failureMessages }) => `${where}: ${fullName}: ${firstLine(failureMessages?.[0])}`);
}

const firstLine = (text = "no reason given") => text.split("\n", 1)[0];
