import { createSubscriber } from "svelte/reactivity";
import type { Claims, Session, Snapshot } from "./types/index.js";

/** Made by {@link fromSession}. */
export interface SessionState<C extends object = Claims> {
  /** For runes: markup, `$derived` and `$effect` that read it run again when it changes. */
  readonly current: Snapshot<C>;
  /** For the store contract: `$state.status` in a component. Returns a function that removes `run`. */
  subscribe(run: (snapshot: Snapshot<C>) => void): () => void;
}

/**
 * Makes a state of the session's snapshot, for runes and as a store. It listens to the session only while a component reads it.
 *
 * The state has no token: a rendered token may have expired when the app sends it. Use `session.fetch`, or call `getToken()` before sending.
 */
export function fromSession<C extends object = Claims>(session: Session<C>): SessionState<C> {
  const track = createSubscriber(session.subscribe);
  return {
    get current() {
      track();
      return session.getSnapshot();
    },
    subscribe(run) {
      const tell = () => run(session.getSnapshot());
      tell();
      return session.subscribe(tell);
    },
  };
}
