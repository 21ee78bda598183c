import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { runSeeds } from "../../scripts/simulation-run.js";

const folder = mkdtempSync(join(tmpdir(), "tokentide-run-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A simulation in which these seeds go round and round, as a session would that never lets time pass. */
function simulation(endless: number[]): string {
  const file = join(folder, `without-end-${endless.length}.mjs`);
  writeFileSync(
    file,
    `export async function simulate(seed) {
      while (${JSON.stringify(endless)}.includes(seed)) await undefined;
      const plan = { seed, mode: "persist", locks: true, channel: true, store: true };
      return { plan, events: 1, rotations: 0, violations: [], reuses: [], tolerated: [], happened: new Map() };
    }`,
  );
  return file;
}

it("names the seeds that do not come to an end, and runs all others", async () => {
  const total = await runSeeds(simulation([7, 60]), { from: 1, count: 120, cores: 2, patience: 2000 });
  expect(total.failed.map(({ seed, property, text }) => `${seed} ${property}: ${text}`)).toEqual([
    "7 P5: does not come to an end",
    "60 P5: does not come to an end",
  ]);
  expect([total.seeds, total.events]).toEqual([120, 118]);
});

it("hears what a process has said before its time was up, though this one stood still meanwhile", async () => {
  const progress = () => {
    for (const end = performance.now() + 400; performance.now() < end; );
  };
  const total = await runSeeds(simulation([]), { from: 1, count: 200, cores: 2, patience: 300, progress });
  expect([total.seeds, total.events, total.failed]).toEqual([200, 200, []]);
});
