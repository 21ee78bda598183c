/** A request of the session, as its environment sees it. A call that is sent again has two. */
export interface Send {
  readonly method: string;
  readonly path: string;
  /** The id of the API call to which the request belongs; null for a refresh, a revocation and a sign-out. */
  readonly call: string | null;
  readonly at: number;
}

/** Called without a status when a request is sent, and with the status of its answer. Status 0 means no answer. */
type Watcher = (send: Send, status?: number) => void;
const watchers = new Set<Watcher>();

export const wire = {
  /** Returns a function that takes the answer's status. */
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
