import { browserEnvironment, type Environment, type PageSignal } from "../../../src/index.js";
import { hear, say } from "../tabs/channel.js";
import { lanes } from "../tabs/lanes.js";
import { naiveStore } from "./naive-store.js";
import { type Send, wire } from "./wire.js";

/** The visitor can change the clock and the network. */
let clockOffset = 0;
let offlineUntil = 0;
const signals = new Set<(signal: PageSignal) => void>();
const signal = (name: PageSignal) => {
  for (const listener of signals) listener(name);
};

export const trueTime = (instant: number): number => instant - clockOffset;

export function setClock(offset: number): void {
  clockOffset = offset;
  signal("wake");
}

/** Takes the network from every tab. */
export function loseNetwork(milliseconds: number): void {
  const until = Date.now() + milliseconds;
  say({ type: "offline", until });
  goOffline(until);
}

function goOffline(until: number): void {
  const from = Date.now();
  offlineUntil = until;
  setTimeout(() => {
    lanes.write({ kind: "away", at: Date.now(), from, why: "offline" });
    signal("online");
  }, until - from);
}

hear("offline", ({ until }) => goOffline(Math.min(until, Date.now() + 60_000)));

/** The page's own environment, with a clock and a network that the visitor can break. `alone` takes the lock, the channel and the ledger away. */
export function demoEnvironment(alone: boolean): Environment {
  const real = browserEnvironment();
  const onPageSignal: Environment["onPageSignal"] = (listener) => {
    signals.add(listener);
    const undo = real.onPageSignal(listener);
    // Apps with tokens in localStorage listen for this event.
    const stored = () => listener("wake");
    if (alone) addEventListener("storage", stored);
    return () => {
      signals.delete(listener);
      removeEventListener("storage", stored);
      undo();
    };
  };
  return {
    ...real,
    now: () => Date.now() + clockOffset,
    fetch: (input, init) => through(real.fetch, input, init),
    onPageSignal,
    ...(alone && { locks: undefined, openChannel: undefined, openStore: naiveStore }),
  };
}

async function through(fetch: Environment["fetch"], input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const { href, pathname, searchParams } = new URL(input instanceof Request ? input.url : input, location.href);
  const method = init?.method ?? (input instanceof Request ? input.method : "GET");
  const send: Send = { method: method.toUpperCase(), path: pathname, call: searchParams.get("call"), at: Date.now() };
  const answered = wire.sent(send);
  try {
    if (Date.now() < offlineUntil) throw new TypeError(`offline: ${new URL(href).origin}`);
    const response = await fetch(input, init);
    answered(response.status);
    return response;
  } catch (error) {
    answered(0);
    throw error;
  }
}
