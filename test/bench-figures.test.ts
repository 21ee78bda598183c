import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { withFormer } from "../bench/browser/former.js";
import { quantile, takeTurns } from "../bench/measure.js";
import { quoted } from "../bench/readme.js";
import { markdown } from "../bench/report.js";
import { targets, targetTable } from "../bench/targets.js";

const read = (file: string) => readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
const fleet = JSON.parse(read("docs/fleet.json"));
const benchmarks = JSON.parse(read("docs/benchmarks.json"));
const readme = read("README.md");

describe("the figures in the README are those that were measured", () => {
  it("of the fleet", () => {
    const [calm, fixedLead] = fleet.calm;
    const [refusing, silent] = fleet.storms;
    expect(readme).toContain(
      `peaks at ${calm.peak.toFixed(2)}× the fewest refreshes a second that could do (a fixed lead: ${fixedLead.peak.toFixed(1)}×)`,
    );
    expect(readme).toContain(`at most ${Math.max(refusing.during, refusing.after, silent.during, silent.after).toFixed(2)}×`);
    expect(readme).toContain(`${refusing.minutesWithout.toFixed(2)} minutes`);
  });

  it("of calls, storms, tabs and sizes, in the words of the command that measured them", () => {
    expect(readme).toContain(quoted(benchmarks));
  });

  it("of the sizes, in three lines and a link", () => {
    const [passage = ""] = /\*\*In the bundle\.\*\*[\s\S]*?(?=\n\n|<!--)/.exec(readme) ?? [];
    expect(passage.trim().split("\n")).toHaveLength(3);
    expect(passage).toContain("](docs/benchmarks.md)");
  });

  it("and so is the report, with every aim, and by how much it was missed", () => {
    const report = read("docs/benchmarks.md");
    expect(report).toBe(markdown(benchmarks));
    expect(report).toContain(targetTable(benchmarks));
    for (const { what, is } of targets(benchmarks)) expect([what, Number.isFinite(is)]).toEqual([what, true]);
  });
});

describe("a clone without the commit of the former build", () => {
  it("is told so in a sentence, and everything else is measured", async () => {
    const lines: string[] = [];
    const former = await withFormer(
      async (plugin) => plugin,
      (line) => lines.push(line),
      "0000000",
    );
    expect(former).toBeUndefined();
    expect(lines).toEqual([expect.stringContaining("This clone does not have the commit 0000000")]);
  });

  it("has a dash in the report for what is compared with it", () => {
    const figures = structuredClone(benchmarks);
    for (const outcome of [...figures.start.outcome, figures.browser.added])
      for (const name of ["former", "toFormer"]) delete outcome[name];
    const rows = targetTable(figures).split("\n");
    expect(rows.filter((row) => row.includes("| – | not measured: this clone lacks the commit |"))).toHaveLength(2);
    expect(rows.filter((row) => /NaN|undefined/.test(row + markdown(figures)))).toEqual([]);
  });
});

describe("a stored session, restored in a page", () => {
  it.each(["tokentide with oauth2", "oidc-client-ts", "@supabase/auth-js", "@auth0/auth0-spa-js"])("was measured of %s", (name) => {
    for (const { by } of benchmarks.restored.outcome)
      for (const what of ["imported", "ready", "first"]) expect(by[name][what].median).toBeGreaterThan(0);
  });
});

describe("how the benchmarks measure", () => {
  it("compares within a round only, so that a machine that slows down slows all of them", async () => {
    let slowness = 1;
    const jobs = { one: async () => slowness++ * 10, same: async () => slowness * 10 };
    const { ratios } = await takeTurns(jobs, { base: "one", rounds: 200, warmUp: 1 });
    expect(ratios.one?.median).toBe(1);
    expect(ratios.same?.median).toBeCloseTo(1, 1);
  });

  it("takes the worst of a hundred for p99, not the mean", () => {
    expect(quantile([...Array(99).fill(1), 50], 0.99)).toBe(50);
  });
});

describe("R18 the pace of a fleet stays within its limits, by the last simulation that was recorded", () => {
  it("has a peak of at most 1.35×, a mean of at most 1.2×, also with tokens of one minute", () => {
    for (const { peak, mean } of [fleet.calm[0], fleet.minute]) {
      expect(peak).toBeLessThanOrEqual(1.35);
      expect(mean).toBeLessThanOrEqual(1.2);
    }
  });

  it("sends at most 5× around an outage, and leaves nobody without a token for half a minute on average", () => {
    for (const { during, after, minutesWithout, stranded } of fleet.storms.slice(0, 2)) {
      expect(Math.max(during, after)).toBeLessThanOrEqual(5);
      expect(minutesWithout).toBeLessThan(0.5);
      expect(stranded).toBe(0);
    }
  });

  it("R49 signs out nobody while an API refuses fresh tokens, and sends at most 5× while one app in 30 calls it", () => {
    const [few, all, each] = fleet.refusing;
    expect(Math.max(few.during, few.after)).toBeLessThanOrEqual(5);
    for (const { signedOut, stranded } of [few, all]) expect([signedOut, stranded]).toEqual([0, 0]);
    // The first 401 of each token is answered by a renewal: a call in 10 s is 90× of a life of 15 minutes. Of the later ones, few are.
    expect(all.during).toBeLessThan(95);
    expect(all.forRefusals).toBeLessThan(each.forRefusals / 3);
  });

  it("R84 signs out nobody while the auth server answers after 12 s, and sends no more than on a quiet day", () => {
    const [{ during, after, minutesWithout, stranded, signedOut }, repeats] = fleet.slow;
    expect(Math.max(during, after)).toBeLessThanOrEqual(1.35);
    expect([minutesWithout, stranded, signedOut]).toEqual([0, 0, 0]);
    expect(repeats.signedOut).toBeGreaterThan(0);
  });
});
