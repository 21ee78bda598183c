/** Everything the session sends, seen from its environment: both sends of a call that was repeated, and the refreshes. */
export interface Send {
  readonly method: string;
  readonly path: string;
  /** The call of the API it belongs to; null for a refresh and the like. */
  readonly call: string | null;
  readonly at: number;
}

/** Status 0: no answer. */
type Watcher = (send: Send, status?: number) => void;
const watchers = new Set<Watcher>();

export const wire = {
  /** Returns what is to be called with the answer's status. */
  sent(send: Send): (status: number) => void {
    for (const watch of watchers) watch(send);
    return (status) => {
      for (const watch of watchers) watch(send, status);
    };
  },
  watch(watcher: Watcher): () => void {
    watchers.add(watcher);
    return () => watchers.delete(watcher);
  },
};
