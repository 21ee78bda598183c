import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { runSeeds } from "../../scripts/simulation-run.js";

const folder = mkdtempSync(join(tmpdir(), "tokentide-run-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A simulation in which seeds 7 and 60 go round and round, as a session would that never lets time pass. */
const file = join(folder, "simulation.mjs");
writeFileSync(
  file,
  `export async function simulate(seed) {
    while (seed === 7 || seed === 60) await undefined;
    const plan = { seed, mode: "persist", locks: true, channel: true, store: true };
    return { plan, events: 1, rotations: 0, violations: [], reuses: [], tolerated: [], happened: new Map() };
  }`,
);

it("names the seeds that do not come to an end, and runs all others", async () => {
  const total = await runSeeds(file, { from: 1, count: 120, cores: 2, patience: 2000 });
  expect(total.failed.map(({ seed, property, text }) => `${seed} ${property}: ${text}`)).toEqual([
    "7 P5: does not come to an end",
    "60 P5: does not come to an end",
  ]);
  expect([total.seeds, total.events]).toEqual([120, 118]);
});
