import { type Claims, createSession, type Session } from "../../../src/index.js";
import { type Config, config, graceOf } from "../config.js";
import { lanes } from "../tabs/lanes.js";
import { demoEnvironment } from "./environment.js";
import { createRecorder } from "./recorder.js";
import { wayOf } from "./ways.js";

export interface User extends Claims {
  sub: string;
  name: string;
  iat: number;
  exp: number;
}

/** Shorter than the default, so that a visitor need not wait for a server that hangs. */
export const REFRESH_TIMEOUT = 4000;

let current: Session<User> | undefined;
const listeners = new Set<(session: Session<User>) => void>();

/** Sessions with and without the lock are strangers, so that neither takes the other's tokens. */
export const nameOf = ({ compare }: Config): string => (compare ? "compare" : "demo");

/** The session of this tab as it is set up now. */
export function session(): Session<User> {
  return current ?? start(config());
}

/** Begins anew, with what the visitor has chosen. */
export function start(chosen: Config): Session<User> {
  current?.dispose();
  const { strategy, options } = wayOf(chosen.way);
  const recorder = createRecorder(lanes.write, options?.expiryClaim);
  const next = createSession<User>({
    ...options,
    name: nameOf(chosen),
    refresh: strategy(),
    refreshTimeout: REFRESH_TIMEOUT,
    reuseGrace: graceOf(chosen) * 1000,
    debug: recorder.debug,
    environment: demoEnvironment(chosen.compare),
  });
  recorder.listen(next);
  current = next;
  for (const listener of listeners) listener(next);
  return next;
}

/** Called for the session there is, and for each one that takes its place. */
export function eachSession(listener: (session: Session<User>) => void): void {
  listeners.add(listener);
  listener(session());
}
