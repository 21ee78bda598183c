import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleSimulation } from "../../scripts/simulation.js";
import { runSeeds } from "../../scripts/simulation-run.js";
import type { Tally } from "../../scripts/simulation-tally.js";
import { KINDS } from "./plan.js";
import { SEEDS } from "./seeds.js";
import type { simulate } from "./simulate.js";

describe("a browser full of tabs, from one seed each", () => {
  let file: string;
  let total: Tally;
  beforeAll(async () => {
    file = await bundleSimulation();
    total = await runSeeds(file, SEEDS);
  }, 240_000);
  afterAll(() => rmSync(dirname(file), { recursive: true }));

  it("R1 R3 R5 R6 R9 keeps P1 to P5 in every seed", () => {
    const failed = total.failed.map(({ seed, property, text }) => `${property}: ${text}\n    npm run simulate -- --seed ${seed} --trace`);
    expect(failed.join("\n")).toBe("");
    expect(total.seeds).toBe(SEEDS.count);
  });

  it("sees every kind of fault, and every two of them in one seed", () => {
    expect([...total.kinds.keys()].sort()).toEqual([...KINDS].sort());
    expect(total.missingPairs()).toEqual([]);
  });

  it("has at least 200 events, 3 rotations and 2 kinds of fault in a seed, and the same story each time", async () => {
    const module = (await import(pathToFileURL(file).href)) as { simulate: typeof simulate };
    for (const seed of [1, 2, 3, 4, 5]) {
      const stories: string[][] = [[], []];
      for (const story of stories) {
        const result = await module.simulate(seed, (line) => story.push(line));
        expect(result.events).toBeGreaterThanOrEqual(200);
        expect(result.rotations).toBeGreaterThanOrEqual(3);
        expect(result.happened.size).toBeGreaterThanOrEqual(2);
      }
      expect(stories[0]).toEqual(stories[1]);
    }
  }, 60_000);
});
