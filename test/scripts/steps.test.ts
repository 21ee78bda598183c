import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { readReport, root } from "../../scripts/steps.js";

const test = (status: string, fullName = "a test", ...failureMessages: string[]) => ({ status, fullName, failureMessages });
const testFile = (name: string, status: string, message: string, ...assertionResults: ReturnType<typeof test>[]) => ({
  name: join(root, name),
  status,
  message,
  assertionResults,
});

function report(...testResults: ReturnType<typeof testFile>[]): string {
  const folder = mkdtempSync(join(tmpdir(), "tokentide-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "report.json");
  writeFileSync(file, JSON.stringify({ testResults }));
  return file;
}

describe("the count at the end of the test command", () => {
  it("has what passed, names what failed and by what, and lists what was not run", () => {
    const file = report(
      testFile("test/one.test.ts", "passed", "", test("passed"), test("skipped", "R11 in a browser without it")),
      testFile(
        "test/two.test.ts",
        "failed",
        "",
        test("passed"),
        test("failed", "R1 one refresh", "expected 2 to be 1\n    at two.test.ts:7"),
      ),
    );
    expect(readReport(file)).toEqual({
      passed: 2,
      failed: ["test/two.test.ts: R1 one refresh: expected 2 to be 1"],
      skipped: ["R11 in a browser without it"],
    });
  });

  it("takes a file that could not be loaded for a failure", () => {
    const file = report(
      testFile("test/one.test.ts", "passed", "", test("passed")),
      testFile("test/two.test.ts", "failed", "Cannot find module 'x'\nand so on"),
    );
    expect(readReport(file)).toEqual({ passed: 1, failed: ["test/two.test.ts could not be run: Cannot find module 'x'"], skipped: [] });
  });

  it("takes a missing report for a failure", () => {
    const { passed, failed, skipped } = readReport(join(tmpdir(), "there-is-no-such-report.json"));
    expect([passed, failed.length, skipped]).toEqual([0, 1, []]);
  });
});
