import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { readReport } from "../../scripts/steps.js";

const test = (status: string, fullName = "a test") => ({ status, fullName });

function report(...testResults: { status: string; assertionResults: ReturnType<typeof test>[] }[]): string {
  const folder = mkdtempSync(join(tmpdir(), "tokentide-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "report.json");
  writeFileSync(file, JSON.stringify({ testResults }));
  return file;
}

describe("the count at the end of the test command", () => {
  it("has what passed and what failed, and lists what was not run", () => {
    const file = report(
      { status: "passed", assertionResults: [test("passed"), test("skipped", "R11 in a browser without it")] },
      { status: "failed", assertionResults: [test("passed"), test("failed")] },
    );
    expect(readReport(file)).toEqual({ passed: 2, failed: 1, skipped: ["R11 in a browser without it"] });
  });

  it("takes a file that could not be loaded for a failure", () => {
    const file = report({ status: "passed", assertionResults: [test("passed")] }, { status: "failed", assertionResults: [] });
    expect(readReport(file)).toEqual({ passed: 1, failed: 1, skipped: [] });
  });

  it("takes a missing report for a failure", () => {
    expect(readReport(join(tmpdir(), "there-is-no-such-report.json"))).toEqual({ passed: 0, failed: 1, skipped: [] });
  });
});
