/** The seeds of every test run: those that planted bugs have to be found in. */
export const SEEDS = { from: 1, count: 2_000 };
