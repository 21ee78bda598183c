import type { Uncured } from "../../src/ledger/record.js";

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
  /** How long the answer to one request is waited for. */
  readonly patience: number;
  /** An API refuses a fresh token: milliseconds until the client may renew it; undefined: not for this call. */
  refused(token: FreshToken, now: number): number | undefined;
  /** What the client remembers of a renewal at that moment, whose token the API has refused, too. */
  uncured(before: Uncured | undefined, renewedAt: number): Uncured | undefined;
}

/** A token that an API refuses, and what the client remembers of the renewals before that cured nothing. */
export interface FreshToken {
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly uncured: Uncured | undefined;
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
  /** From `from` to `to`, the API refuses every token. */
  readonly refusals?: { readonly from: number; readonly to: number };
  /** From `from` to `to`, the server carries a request out at once, and answers after `latency`. It takes a refresh token once. */
  readonly slow?: { readonly from: number; readonly to: number; readonly latency: number };
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
  /** Renewals for a token that the API refused. */
  readonly forRefusals: number;
  /** Clients that have sent a used refresh token. */
  readonly signedOut: number;
}

/** What a client waits for. */
const [DUE, ANSWER, GIVING_UP] = [0, 1, 2];

/** Every client of a fleet, one event after the other. A request is answered at once, unless the server is slow. */
export function simulate(policy: Policy, plan: Plan, random: () => number): Outcome {
  const { clients, lifetime, until, outage, refusals, slow } = plan;
  const seconds = Math.ceil(until / 1000);
  const requests = new Float64Array(seconds);
  const served = new Float64Array(seconds);
  const issuedAt = new Float64Array(clients);
  const expiresAt = new Float64Array(clients);
  const attempts = new Uint16Array(clients);
  const lost = new Uint8Array(clients);
  const waitsFor = new Uint8Array(clients);
  /** The server has carried the client's last request out, and the client does not know it. */
  const spent = new Uint8Array(clients);
  const dueAt = new Float64Array(clients);
  const callAt = new Float64Array(clients).fill(Number.POSITIVE_INFINITY);
  const uncured: (Uncured | undefined)[] = [];
  const margin = policy.margin(lifetime);
  const queue = createQueue(clients);
  const capacity = outage ? (outage.capacity * clients * 1000) / lifetime : Number.POSITIVE_INFINITY;
  let [without, forRefusals, signedOut] = [0, 0, 0];

  /** The client's next event: its renewal is due, or its app calls an API that refuses. */
  function wait(client: number): void {
    queue.set(client, Math.min(dueAt[client]!, callAt[client]!));
  }

  /** A token's life counts from the moment when it was asked for. */
  function issue(client: number, sentAt: number, first: boolean): void {
    issuedAt[client] = sentAt;
    expiresAt[client] = sentAt + lifetime;
    attempts[client] = lost[client] = spent[client] = 0;
    dueAt[client] = sentAt + policy.due(lifetime, first, random);
    wait(client);
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
    dueAt[client] = next;
    wait(client);
  }

  function serve(client: number, now: number, sentAt: number): void {
    served[Math.floor(now / 1000)]!++;
    without += Math.max(0, now - (expiresAt[client]! - margin));
    issue(client, sentAt, false);
  }

  /** Asks for a token, and gets it at once, or not. */
  function ask(client: number, now: number): void {
    const second = Math.floor(now / 1000);
    requests[second]!++;
    if (spent[client]) {
      signedOut++;
      queue.set(client, Number.POSITIVE_INFINITY);
      return;
    }
    if (slow && now >= slow.from && now < slow.to) {
      spent[client] = 1;
      waitsFor[client] = slow.latency <= policy.patience ? ANSWER : GIVING_UP;
      queue.set(client, now + Math.min(slow.latency, policy.patience));
      return;
    }
    const down = outage !== undefined && now >= outage.from && now < outage.to;
    const full = outage !== undefined && now >= outage.to && served[second]! >= capacity;
    if (down || full) fail(client, now, down && outage.silent);
    else serve(client, now, now);
  }

  /** The app calls an API that refuses every token. */
  function call(client: number, now: number): void {
    const token = { issuedAt: issuedAt[client]!, expiresAt: expiresAt[client]!, uncured: uncured[client] };
    const rest = policy.refused(token, now);
    callAt[client] = now + (rest || plan.callEvery);
    if (callAt[client]! >= refusals!.to) callAt[client] = Number.POSITIVE_INFINITY;
    if (rest !== 0) return wait(client);
    forRefusals++;
    ask(client, now);
    uncured[client] = policy.uncured(token.uncured, now);
  }

  for (let client = 0; client < clients; client++) {
    // Before the refusals, a call changes nothing.
    if (refusals && client < plan.active * clients) callAt[client] = refusals.from + random() * plan.callEvery;
    issue(client, random() * plan.signInWithin, true);
  }
  for (;;) {
    const client = queue.first();
    const now = queue.at(client);
    if (now >= until) break;
    const what = waitsFor[client]!;
    waitsFor[client] = DUE;
    if (what === ANSWER) serve(client, now, now - slow!.latency);
    else if (what === GIVING_UP) fail(client, now, true);
    else if (now === callAt[client]) call(client, now);
    else ask(client, now);
  }
  let stranded = 0;
  for (let client = 0; client < clients; client++) {
    const missing = until - (expiresAt[client]! - margin);
    if (missing <= 0) continue;
    without += missing;
    stranded++;
  }
  return { requests, served, without, stranded, forRefusals, signedOut };
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
