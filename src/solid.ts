import { type Accessor, createSignal, onCleanup, onMount, sharedConfig } from "solid-js";
import type { Claims, Session, Snapshot } from "./types/index.js";

/** The snapshot on a server, and so during hydration. */
const RESTORING: Snapshot<never> = { status: "restoring", claims: null, expiresAt: null, refreshDueAt: null, degraded: false };

/**
 * Makes a signal of the session's snapshot, for the component or the root that calls it. On a server and during hydration, the status is
 * `restoring`.
 *
 * The signal has no token: a rendered token may have expired when the app sends it. Use `session.fetch`, or call `getToken()` before sending.
 */
export function fromSession<C extends object = Claims>(session: Session<C>): Accessor<Snapshot<C>> {
  // Solid has a context on a server and during hydration.
  const [snapshot, setSnapshot] = createSignal<Snapshot<C>>(sharedConfig.context ? RESTORING : session.getSnapshot());
  const update = () => setSnapshot(session.getSnapshot);
  onMount(() => {
    update();
    onCleanup(session.subscribe(update));
  });
  return snapshot;
}
