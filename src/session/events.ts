/** The listeners and the queue of events. `Map`: the event names and their payloads. */
export interface Events<Map> {
  on<E extends keyof Map>(event: E, listener: (payload: Map[E]) => void): () => void;
  /** Puts the event into the queue. No listener runs before `flush`. */
  emit<E extends keyof Map>(event: E, payload: Map[E]): void;
  /** Removes all listeners, and empties the queue. */
  clear(): void;
  /** Delivers the queue in order, with the events that listeners cause meanwhile. An error of a listener stops no other listener. */
  flush(): void;
}

export function createEvents<Map>(report: (message: string, error: unknown) => void): Events<Map> {
  const listeners = new Set<{ event: keyof Map; listener: (payload: never) => void }>();
  const queue: (() => void)[] = [];
  let flushing = false;
  return {
    on(event, listener) {
      const entry = { event, listener };
      listeners.add(entry);
      return () => {
        listeners.delete(entry);
      };
    },
    emit(event, payload) {
      queue.push(() => {
        for (const entry of [...listeners]) {
          if (entry.event !== event || !listeners.has(entry)) continue;
          try {
            (entry.listener as (payload: unknown) => void)(payload);
          } catch (error) {
            report(`a listener of "${String(event)}" threw`, error);
          }
        }
      });
    },
    clear() {
      listeners.clear();
      queue.length = 0;
    },
    flush() {
      if (flushing) return;
      flushing = true;
      try {
        while (queue.length) queue.shift()?.();
      } finally {
        flushing = false;
      }
    },
  };
}
