import { type Claims, createSession, type DpopProofs, type Session } from "../../../src/index.js";
import { type Config, config } from "../config.js";
import { base } from "../place.js";
import { lanes } from "../tabs/lanes.js";
import { demoEnvironment } from "./environment.js";
import { createRecorder } from "./recorder.js";
import { optionsOf, setupOf } from "./setup.js";

export interface User extends Claims {
  sub: string;
  name: string;
  iat: number;
  exp: number;
}

let current: Session<User> | undefined;
let proofs: DpopProofs | undefined;
const listeners = new Set<(session: Session<User>) => void>();

/** Each way has a session name of its own, with and without the lock, so that no session takes the tokens of another one. */
export const nameOf = ({ compare, way }: Config): string => `${compare ? "compare" : "demo"} ${way} ${base.pathname}`;

/** The current session of this tab. */
export function session(): Session<User> {
  return current ?? start(config());
}

/** The key to which a login has to bind the tokens. Undefined for a session that binds none. */
export async function loginKey(): Promise<CryptoKeyPair | undefined> {
  session();
  return proofs?.keyPair();
}

/** Starts a new session with the visitor's choices. */
export function start(chosen: Config): Session<User> {
  current?.dispose();
  const setup = setupOf(chosen);
  proofs = setup.dpop?.make();
  const recorder = createRecorder(lanes.write, setup.expiryClaim);
  const next = createSession<User>({
    ...optionsOf(setup, proofs),
    name: nameOf(chosen),
    debug: recorder.debug,
    environment: demoEnvironment(chosen.compare),
  });
  recorder.listen(next);
  current = next;
  for (const listener of listeners) listener(next);
  return next;
}

/** Calls the listener with the current session, and with each later one. */
export function eachSession(listener: (session: Session<User>) => void): void {
  listeners.add(listener);
  listener(session());
}
