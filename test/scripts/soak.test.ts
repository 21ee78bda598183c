import { describe, expect, it } from "vitest";
import { type Figures, failed, markdown, percentile, rows } from "../../scripts/soak-report.js";

const figures: Figures = {
  date: "2026-01-02",
  command: "npm run soak -- --minutes 30 --tabs 12",
  commit: "abc1234",
  chromium: "1.2.3",
  minutes: 30,
  tabs: 12,
  life: { opened: 20, closed: 8, closedWhileRefreshing: 3 },
  server: { rotations: 200, attempts: 207, replayed: 4, down: 2, lost: 1 },
  violations: { reused: 0, signOuts: 0, apiFailures: 0 },
  api: { ok: 5000, unauthorized: 6 },
  freshness: { spans: [300, 100, 200], signedIn: 60_000 },
  memory: { start: [2 ** 20, 2 ** 20], end: [2 ** 20, 3 * 2 ** 20] },
};

describe("the figures of a soak", () => {
  it("have percentiles that are measured values, the nearest rank", () => {
    const values = Array.from({ length: 200 }, (_, index) => 200 - index);
    expect([50, 99, 100].map((percent) => percentile(values, percent))).toEqual([100, 198, 200]);
    expect([50, 99, 100].map((percent) => percentile([7], percent))).toEqual([7, 7, 7]);
    expect(percentile([], 99)).toBe(0);
  });

  it("sort by size, not by how a number is written", () => {
    expect(percentile([9, 1000, 20], 50)).toBe(20);
  });

  it("tell spans without a token as a share of the time signed in, and memory as mean and largest", () => {
    const table = new Map(rows(figures));
    expect(table.get("spans without a fresh token")).toBe("3, 1.00 % of the time that tabs were signed in");
    expect(table.get("such a span, p50")).toBe("200 ms");
    expect(table.get("such a span, max")).toBe("300 ms");
    expect(table.get("memory per tab at the start")).toBe("1.00 MB (largest 1.00 MB)");
    expect(table.get("memory per tab at the end")).toBe("2.00 MB (largest 3.00 MB)");
  });

  it.each(["reused", "signOuts", "apiFailures"] as const)("are a failure with one of %s, and only then", (kind) => {
    expect(failed(figures)).toBe(false);
    expect(failed({ ...figures, violations: { ...figures.violations, [kind]: 1 } })).toBe(true);
  });

  it("are shown with how they were measured", () => {
    const page = markdown(figures);
    for (const part of [
      figures.command,
      figures.date,
      figures.commit,
      figures.chromium,
      "| rotations | 200 (of 207 refreshes asked for) |",
    ]) {
      expect(page).toContain(part);
    }
  });
});
