import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleSimulation } from "../../scripts/simulation.js";
import { runSeeds } from "../../scripts/simulation-run.js";
import type { Tally } from "../../scripts/simulation-tally.js";
import { FAULT_KINDS, OWED_KINDS } from "./faults/kinds.js";
import { KINDS } from "./plan.js";
import type { Property } from "./properties.js";
import { SEEDS } from "./seeds.js";
import type { simulate } from "./simulate.js";

const PROPERTIES: [Property, string][] = [
  ["P1", "no tab sends a refresh while another one's mark stands"],
  ["P2", "no refresh token is sent after its successor was stored"],
  ["P3", "nothing older is stored over a commit, and no session comes back"],
  ["P4", "every living tab has a fresh token in the end"],
  ["P5", "every promise settles within its limit"],
  ["reuse", "no token is presented twice where a tab could have known"],
  ["R55", "a page that returns sends no bearer of a session that was over before"],
  ["R57", "a prerendered page renews nothing, and steals no lock"],
  ["R85", "no page that opens after a sign-out is in that session, however the page left"],
  ["R87", "no guard sees a session signed out before storage has answered"],
  ["R88", "a session tells of a silent storage in time, and goes on when storage answers"],
  ["R89", "an end that is heard holds at once, also while storage hangs"],
  ["secret", "no refresh token is on the channel"],
  ["limits", "no session outlives its limits, and none ends before them"],
  ["hidden", "no hidden page renews what it was to let lapse"],
  ["audience", "no audience gets the token of another"],
  ["pace", "renewals that cure nothing are paced"],
  ["hostile", "no forged message changes the ledger or the clocks"],
  ["dpop", "each request has a proof by the key of its session, and a challenge is no failure"],
  ["vault", "a worker presents each refresh token once and gives none away, and a session whose worker is lost says so"],
  ["release", "an older release neither writes over a newer record nor renews it, and no member that it does not know gets lost"],
];

describe("a browser full of tabs, from one seed each", () => {
  let file: string;
  let total: Tally;
  beforeAll(async () => {
    file = await bundleSimulation();
    total = await runSeeds(file, SEEDS);
  }, 240_000);
  afterAll(() => rmSync(dirname(file), { recursive: true }));

  it.each(PROPERTIES)("%s in every seed: %s", (property) => {
    const broken = total.failed.filter((failure) => failure.property === property);
    expect(broken.map(({ seed, text }) => `${text}\n    npm run simulate -- --seed ${seed} --trace`).join("\n")).toBe("");
  });

  it("R1 R3 R5 R6 R9 runs all seeds, and none breaks anything", () => {
    expect([total.seeds, total.failed.map(({ property }) => property)]).toEqual([SEEDS.count, []]);
  });

  it("sees every kind of fault, and every two of them in one seed", () => {
    const drawn = [...KINDS, ...FAULT_KINDS].filter((kind) => !OWED_KINDS.includes(kind));
    expect([...total.kinds.keys()].sort()).toEqual(drawn.sort());
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
