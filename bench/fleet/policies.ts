import { demandDelay, retryDelay } from "../../src/refresh/backoff.js";
import { dueAfter, safetyMargin } from "../../src/token/lifetime.js";
import type { Policy } from "./simulate.js";

/** The code that apps run, with its defaults. */
export const tokentide: Policy = {
  name: "tokentide",
  due: (lifetime, first, random) => dueAfter({ lifetime, expiresAt: lifetime, claims: null }, first, {}, random, () => {}),
  retry: ({ attempt, validity, lifetime, lost }, random) =>
    retryDelay({ attempt, validity, lifetime, lost, retryAfter: undefined }, random),
  demand: demandDelay,
  margin: safetyMargin,
};
