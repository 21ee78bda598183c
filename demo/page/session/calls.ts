import { createKy } from "../../../src/ky.js";
import { config } from "../config.js";
import { at, framed, manual } from "../place.js";
import { lanes } from "../tabs/lanes.js";
import { eachSession, session } from "./current.js";
import { wayOf } from "./ways.js";
import { wire } from "./wire.js";

/** One call of the API by this tab. */
export interface Call {
  readonly id: string;
  readonly at: number;
  readonly path: string;
  /** Milliseconds until the call was sent for the first time; null before. A call that waits long waits for a token. */
  waited: number | null;
  readonly statuses: number[];
  /** Whether another tab fetched a token during the call. */
  adopted: boolean;
  over: boolean;
  duration: number;
}

const EVERY = 3000;
let count = 0;
let paused = manual;
const listeners = new Set<(call: Call) => void>();

/** Calls the API, as an app does. */
export async function callApi(): Promise<Call> {
  const id = `${lanes.own.head.number}-${++count}`;
  const path = `${wayOf(config().way).folder}api/me`;
  const call: Call = { id, at: Date.now(), path: `/${path}`, waited: null, statuses: [], adopted: false, over: false, duration: 0 };
  const undo = wire.watch((send, status) => {
    if (send.call !== id) return;
    if (status === undefined) call.waited ??= send.at - call.at;
    else call.statuses.push(status);
    tell(call);
  });
  const forget = session().on("refreshed", ({ adopted }) => {
    call.adopted ||= adopted;
  });
  tell(call);
  try {
    await createKy(session(), { retry: 0, timeout: false, throwHttpErrors: false })
      .get(at(`${path}?call=${id}`))
      .text();
  } catch {
    // No answer at all: its status says so.
  }
  undo();
  forget();
  call.over = true;
  call.duration = Date.now() - call.at;
  lanes.write({ kind: "call", at: Date.now(), status: call.statuses.at(-1) ?? 0, resent: call.statuses.length > 1 });
  tell(call);
  return call;
}

function tell(call: Call): void {
  for (const listener of listeners) listener(call);
}

export function onCall(listener: (call: Call) => void): void {
  listeners.add(listener);
}

export function keepCalling(keep: boolean): void {
  paused = !keep;
}

/** Calls the API every few seconds, and after each sign-in. */
export function useApi(): void {
  const perhaps = () => {
    if (!paused && session().getSnapshot().status === "signed-in") void callApi();
  };
  eachSession((session) => session.on("signed-in", perhaps));
  setInterval(perhaps, framed ? 2 * EVERY : EVERY);
}
