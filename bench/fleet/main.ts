import { seeded } from "../../src/testing/chance.js";
import { abortsAndRepeats, autorefresh, fixedLead, tokentide } from "./policies.js";
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

/** For five minutes, something is wrong at the servers, and none of them is away. */
export interface TroubleRow extends OutageRow {
  readonly clients: number;
  /** Renewals for a token that the API had refused, of a client whose app calls that API. */
  readonly forRefusals: number;
  readonly signedOut: number;
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

function trouble(
  policy: Policy,
  name: string,
  clients: number,
  lifetime: number,
  seed: number,
  kind: Pick<Plan, "refusals" | "slow" | "active">,
) {
  const { from, to } = (kind.refusals ?? kind.slow)!;
  const signInWithin = policy === tokentide ? MINUTE : lifetime;
  const { requests, without, stranded, forRefusals, signedOut } = load(
    policy,
    { ...steady, ...kind, signInWithin, clients, lifetime, until: to + 2 * lifetime },
    seed,
  );
  const row: TroubleRow = {
    name,
    clients,
    during: most(requests.subarray(from / SECOND, to / SECOND)),
    after: most(requests.subarray(to / SECOND)),
    minutesWithout: without / clients / MINUTE,
    stranded,
    forRefusals: kind.active ? forRefusals / (kind.active * clients) : 0,
    signedOut,
  };
  return row;
}

/** An API that refuses fresh tokens (R49), and an auth server that answers everything after 12 s (R84), each for five minutes. */
function troublesOf(clients: number, lifetime: number, seed: number) {
  const time = { from: 4 * lifetime, to: 4 * lifetime + 5 * MINUTE };
  const [few, all] = [
    { active: 1 / 30, refusals: time },
    { active: 1, refusals: time },
  ];
  const late = { active: 0, slow: { ...time, latency: 12 * SECOND } };
  return {
    refusing: [
      trouble(tokentide, "tokentide, one app in 30 calls it", clients, lifetime, seed, few),
      trouble(tokentide, "tokentide, every app calls it", clients, lifetime, seed, all),
      trouble(fixedLead, "each 401 causes a renewal, every app calls it", clients / 5, lifetime, seed, all),
    ],
    slow: [
      trouble(tokentide, "tokentide", clients, lifetime, seed, late),
      trouble(abortsAndRepeats, abortsAndRepeats.name, clients / 5, lifetime, seed, late),
    ],
  };
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
  const { refusing, slow } = troublesOf(clients, life, seed);
  for (const row of [...refusing, ...slow])
    log(
      `${row.name}: during ${row.during.toFixed(2)}, after ${row.after.toFixed(2)}, ${row.forRefusals.toFixed(1)} renewals for refusals, ${row.signedOut} signed out, ${row.minutesWithout.toFixed(3)} min`,
    );
  return { calm, minute, storms, refusing, slow };
}
