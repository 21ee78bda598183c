/** How a client decides when to renew, and what it does when that fails. Everything in milliseconds. */
export interface Policy {
  readonly name: string;
  /** From issue to the moment the renewal is due. `first`: the first one after a sign-in. */
  due(lifetime: number, first: boolean, random: () => number): number;
  /** From a failed attempt to the next one; undefined: it gives up until somebody calls. */
  retry(failed: Failed, random: () => number): number | undefined;
  /** From a failed attempt to the moment at which a call of the app may cause another one. */
  demand(attempt: number, lifetime: number): number;
  /** How long before expiry a token counts as gone. */
  margin(lifetime: number): number;
}

export interface Failed {
  readonly attempt: number;
  /** Milliseconds until expiry; not positive when it has passed. */
  readonly validity: number;
  readonly lifetime: number;
  /** No answer came, for the first time since the last success. */
  readonly lost: boolean;
}

export interface Plan {
  readonly clients: number;
  readonly lifetime: number;
  /** Everybody signs in within this time, evenly. */
  readonly signInWithin: number;
  readonly until: number;
  /** The server does not answer (`silent`), or answers 503, from `from` to `to`; after that it serves so many times clients/lifetime. */
  readonly outage?: { readonly from: number; readonly to: number; readonly silent: boolean; readonly capacity: number };
  /** Share of the clients whose app calls its API all the time, once in `callEvery` on average. */
  readonly active: number;
  readonly callEvery: number;
}

export interface Outcome {
  /** Requests in each second. */
  readonly requests: Float64Array;
  readonly served: Float64Array;
  /** Milliseconds without a usable token, over all clients. */
  readonly without: number;
  /** Clients that have no usable token at the end. */
  readonly stranded: number;
}

/** Every client of a fleet, one event after the other. A request is answered at once. */
export function simulate(policy: Policy, plan: Plan, random: () => number): Outcome {
  const { clients, lifetime, until, outage } = plan;
  const seconds = Math.ceil(until / 1000);
  const requests = new Float64Array(seconds);
  const served = new Float64Array(seconds);
  const expiresAt = new Float64Array(clients);
  const attempts = new Uint16Array(clients);
  const lost = new Uint8Array(clients);
  const margin = policy.margin(lifetime);
  const queue = createQueue(clients);
  const capacity = outage ? (outage.capacity * clients * 1000) / lifetime : Number.POSITIVE_INFINITY;
  let without = 0;

  function issue(client: number, now: number, first: boolean): void {
    expiresAt[client] = now + lifetime;
    attempts[client] = 0;
    lost[client] = 0;
    queue.set(client, now + policy.due(lifetime, first, random));
  }

  function fail(client: number, now: number, silent: boolean): void {
    const attempt = ++attempts[client]!;
    const newlyLost = silent && lost[client] === 0;
    if (silent) lost[client] = 1;
    const validity = expiresAt[client]! - now;
    const delay = policy.retry({ attempt, validity, lifetime, lost: newlyLost }, random);
    let next = delay === undefined ? Number.POSITIVE_INFINITY : now + delay;
    if (client < plan.active * clients) {
      const called = Math.max(expiresAt[client]! - margin, now + policy.demand(attempt, lifetime)) + random() * plan.callEvery;
      next = Math.min(next, called);
    }
    queue.set(client, next);
  }

  for (let client = 0; client < clients; client++) issue(client, random() * plan.signInWithin, true);
  for (;;) {
    const client = queue.first();
    const now = queue.at(client);
    if (now >= until) break;
    const second = Math.floor(now / 1000);
    requests[second]!++;
    const down = outage !== undefined && now >= outage.from && now < outage.to;
    const full = outage !== undefined && now >= outage.to && served[second]! >= capacity;
    if (down || full) {
      fail(client, now, down && outage.silent);
    } else {
      served[second]!++;
      without += Math.max(0, now - (expiresAt[client]! - margin));
      issue(client, now, false);
    }
  }
  let stranded = 0;
  for (let client = 0; client < clients; client++) {
    const missing = until - (expiresAt[client]! - margin);
    if (missing <= 0) continue;
    without += missing;
    stranded++;
  }
  return { requests, served, without, stranded };
}

/** A heap of clients by the time of their next event, of which each has one. */
function createQueue(clients: number) {
  const due = new Float64Array(clients).fill(Number.POSITIVE_INFINITY);
  const heap = Int32Array.from({ length: clients }, (_, client) => client);
  const place = Int32Array.from(heap);

  function put(client: number, index: number): void {
    heap[index] = client;
    place[client] = index;
  }

  return {
    first: () => heap[0]!,
    at: (client: number) => due[client]!,
    set(client: number, time: number): void {
      due[client] = time;
      let index = place[client]!;
      while (index > 0) {
        const parent = (index - 1) >> 2;
        if (due[heap[parent]!]! <= time) break;
        put(heap[parent]!, index);
        index = parent;
      }
      for (;;) {
        const start = index * 4 + 1;
        if (start >= clients) break;
        let least = start;
        for (let child = start + 1; child < Math.min(start + 4, clients); child++)
          if (due[heap[child]!]! < due[heap[least]!]!) least = child;
        if (due[heap[least]!]! >= time) break;
        put(heap[least]!, index);
        index = least;
      }
      put(client, index);
    },
  };
}
