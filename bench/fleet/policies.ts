import { demandDelay, retryDelay } from "../../src/ledger/backoff.js";
import { dueAfter, safetyMargin } from "../../src/token/lifetime.js";
import type { Policy } from "./simulate.js";

/** The code that apps run, with its defaults. */
export const tokentide: Policy = {
  name: "tokentide",
  due: (lifetime, first, random) => dueAfter({ lifetime, expiresAt: lifetime, claims: null }, first, {}, { random, complain: () => {} }),
  retry: ({ attempt, validity, lifetime, lost }, random) =>
    retryDelay({ attempt, validity, lifetime, lost, retryAfter: undefined }, random),
  demand: demandDelay,
  margin: safetyMargin,
};

/** What the peers share: an access token is used until it expires, and nothing spreads the retries but chance. */
const peer = (name: string, lead: (random: () => number) => number, again: number | undefined): Policy => ({
  name,
  due: (lifetime, _first, random) => Math.max(1000, lifetime - lead(random)),
  retry: () => again,
  demand: () => 0,
  margin: () => 0,
});

/** A fixed lead, and a tick that looks again: 90 s and 30 s are @supabase/auth-js's. Others differ in the numbers, not in the kind. */
export const fixedLead = peer("fixed lead (90 s, looks every 30 s)", () => 90_000, 30_000);

/** jwt-autorefresh with the settings of its README: 60 to 90 s ahead in whole seconds. What follows a failure is the app's; 5 s here. */
export const autorefresh = peer("jwt-autorefresh (60–90 s, as in its README)", (random) => 60_000 + 1000 * Math.floor(random() * 30), 5000);
