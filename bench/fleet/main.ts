import { seeded } from "../../src/testing/chance.js";
import { autorefresh, fixedLead, tokentide } from "./policies.js";
import { type Plan, type Policy, simulate } from "./simulate.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

export interface Row {
  readonly name: string;
  readonly peak: number;
  readonly peakLater: number;
  readonly mean: number;
}

export interface OutageRow {
  readonly name: string;
  readonly during: number;
  readonly after: number;
  readonly minutesWithout: number;
  readonly stranded: number;
}

const steady: Omit<Plan, "clients" | "lifetime" | "until"> = { signInWithin: MINUTE, active: 0, callEvery: 10 * SECOND };
const most = (values: Float64Array) => values.reduce((one, other) => Math.max(one, other), 0);

/** Requests a second, as multiples of clients/lifetime. */
function load(policy: Policy, plan: Plan, seed: number) {
  const outcome = simulate(policy, plan, seeded(seed));
  const ideal = (plan.clients * SECOND) / plan.lifetime;
  return { ...outcome, requests: outcome.requests.map((count) => count / ideal) };
}

function quiet(policy: Policy, clients: number, lifetime: number, seed: number): Row & { requests: Float64Array } {
  const lives = 8;
  const { requests } = load(policy, { ...steady, clients, lifetime, until: lives * lifetime + MINUTE }, seed);
  const settled = requests.subarray(60);
  const later = settled.subarray(Math.floor(settled.length / 2));
  return {
    name: policy.name,
    peak: most(settled),
    peakLater: most(later),
    mean: settled.reduce((sum, count) => sum + count, 0) / settled.length,
    requests,
  };
}

function outage(policy: Policy, name: string, clients: number, lifetime: number, seed: number, silent: boolean, active: number) {
  const from = 4 * lifetime;
  const to = from + 5 * MINUTE;
  // A crowd in step would meet the outage as a whole, or not at all: the peers are given a fleet that is evenly spread.
  const signInWithin = policy === tokentide ? MINUTE : lifetime;
  const plan: Plan = {
    ...steady,
    signInWithin,
    clients,
    lifetime,
    active,
    until: to + 2 * lifetime,
    outage: { from, to, silent, capacity: 5 },
  };
  const { requests, without, stranded } = load(policy, plan, seed);
  const row: OutageRow = {
    name,
    during: most(requests.subarray(from / SECOND, to / SECOND)),
    after: most(requests.subarray(to / SECOND)),
    minutesWithout: without / clients / MINUTE,
    stranded,
  };
  return { ...row, requests: requests.subarray((from - 5 * MINUTE) / SECOND) };
}

/** All of what docs/fleet.md shows. */
export function fleet(clients: number, seed: number, log: (line: string) => void) {
  const life = 15 * MINUTE;
  const policies = [tokentide, fixedLead, autorefresh];
  const calm = policies.map((policy) => quiet(policy, clients, life, seed));
  for (const row of calm) log(`${row.name}: peak ${row.peak.toFixed(2)}, mean ${row.mean.toFixed(3)}`);
  const minute = quiet(tokentide, clients, MINUTE, seed);
  const storms = [
    outage(tokentide, "tokentide, answers 503", clients, life, seed, false, 0),
    outage(tokentide, "tokentide, no answer at all", clients, life, seed, true, 0),
    outage(tokentide, "tokentide, 503, and every app calls its API every 10 s", clients, life, seed, false, 1),
    outage(fixedLead, `${fixedLead.name}, 503`, clients / 5, life, seed, false, 0),
    outage(autorefresh, `${autorefresh.name}, 503, retried every 5 s`, clients / 5, life, seed, false, 0),
  ];
  for (const row of storms)
    log(`${row.name}: during ${row.during.toFixed(2)}, after ${row.after.toFixed(2)}, ${row.minutesWithout.toFixed(3)} min`);
  return { calm, minute, storms };
}
