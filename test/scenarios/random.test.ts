import { describe, expect, it } from "vitest";
import { Simulation, type Weather } from "../support/simulation.js";

const LONG = process.env.TOKENTIDE_LONG === "1";
const SEEDS = Number(process.env.TOKENTIDE_SEEDS ?? (LONG ? 1_000 : 25));
const FROM = Number(process.env.TOKENTIDE_SEED ?? 1);

/** One life; a failure tells its seed, and what happened. */
async function live(seed: number, weather: Weather): Promise<void> {
  const simulation = new Simulation(seed, weather);
  try {
    await simulation.run(80);
    await simulation.stage.finish();
  } catch (error) {
    throw new Error(`seed ${seed}: ${(error as Error).message}\n${[simulation.history[0], ...simulation.history.slice(-60)].join("\n")}`, {
      cause: error,
    });
  }
}

describe("lives drawn by a seed", () => {
  it.each(Array.from({ length: SEEDS }, (_, index) => FROM + index))(
    "R1 R2 R9 R16 R45 gentle, seed %i: no token is sent twice, nobody is signed out",
    async (seed) => {
      await live(seed, "gentle");
    },
    60_000,
  );

  it.each(Array.from({ length: SEEDS }, (_, index) => FROM + index))(
    "R5 R6 R18 R23 rough, seed %i: every call settles, and all tabs end up agreeing",
    async (seed) => {
      await live(seed, "rough");
    },
    60_000,
  );

  it("the same seed is the same life", async () => {
    const histories: string[][] = [];
    for (let round = 0; round < 2; round += 1) {
      const simulation = new Simulation(7, "gentle");
      await simulation.run(30);
      histories.push([...simulation.history, JSON.stringify(simulation.stage.server.stats)]);
      await simulation.stage.finish();
    }
    expect(histories[0]).toEqual(histories[1]);
  });
});
