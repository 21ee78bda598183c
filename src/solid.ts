import { type Accessor, createSignal, onCleanup, onMount, sharedConfig } from "solid-js";
import type { Claims, Session, Snapshot } from "./types.js";

/** What a server knows, and so what a page is hydrated with. */
const RESTORING: Snapshot<never> = { status: "restoring", claims: null, expiresAt: null, refreshDueAt: null, degraded: false };

/**
 * What is known of the session, as a signal of the component or root that calls it. It has the status `restoring` on a server and while a
 * page is hydrated.
 *
 * The token is not in it: one that was rendered may have expired when it is sent. Call `session.fetch`, or `getToken()` where it is sent.
 */
export function fromSession<C extends object = Claims>(session: Session<C>): Accessor<Snapshot<C>> {
  // There is a context on a server, and during hydration.
  const [snapshot, setSnapshot] = createSignal<Snapshot<C>>(sharedConfig.context ? RESTORING : session.getSnapshot());
  const update = () => setSnapshot(session.getSnapshot);
  onMount(() => {
    update();
    onCleanup(session.subscribe(update));
  });
  return snapshot;
}
