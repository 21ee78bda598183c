/** A source of numbers 0 ≤ x < 1, as `Math.random`. */
export type Chance = () => number;

/** mulberry32: small, fast, and the same on every machine for the same seed. */
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

/** Always the same number: for tests in which chance must not matter. */
export function fixed(value: number): Chance {
  return () => value;
}

/** A number between two bounds, drawn anew at each call: what a delay looks like. */
export function between(chance: Chance, low: number, high: number): () => number {
  return () => low + chance() * (high - low);
}
