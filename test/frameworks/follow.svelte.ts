import { flushSync } from "svelte";
import type { SessionState } from "../../src/svelte.js";
import type { Snapshot } from "../../src/types/index.js";

/** As a component does it: an effect on what `current` says. Returns its end. */
export function follow(state: SessionState, see: (snapshot: Snapshot) => void): () => void {
  const destroy = $effect.root(() => {
    const status = $derived(state.current.status);
    $effect(() => see({ ...state.current, status }));
  });
  flushSync();
  return destroy;
}
