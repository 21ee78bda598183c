/** A source of random numbers from 0 to 1, without 1 itself, as `Math.random` is. */
export type Chance = () => number;

/** A source that gives the same numbers on every machine for the same seed (mulberry32). `seed` is an integer of 32 bits. */
export function seeded(seed: number): Chance {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A source that always gives `value`, for tests in which chance must not matter. `value` is at least 0 and less than 1. */
export function fixed(value: number): Chance {
  return () => value;
}

/** A function that draws a number from `low` to `high` at each call. */
export function between(chance: Chance, low: number, high: number): () => number {
  return () => low + chance() * (high - low);
}
