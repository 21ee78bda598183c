import { createSubscriber } from "svelte/reactivity";
import type { Claims, Session, Snapshot } from "./types.js";

export interface SessionState<C extends object = Claims> {
  /** For runes: whatever read it in markup, `$derived` or `$effect` runs again when it changes. */
  readonly current: Snapshot<C>;
  /** The store contract: `$state.status` in a component. Returns its undo. */
  subscribe(run: (snapshot: Snapshot<C>) => void): () => void;
}

/**
 * What is known of the session, for runes and as a store. Listens to the session only while somebody looks.
 *
 * The token is not in it: one that was rendered may have expired when it is sent. Call `session.fetch`, or `getToken()` where it is sent.
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
