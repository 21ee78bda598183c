/** Any map of event names to payloads. */
export interface Events<Map> {
  on<E extends keyof Map>(event: E, listener: (payload: Map[E]) => void): () => void;
  /** Puts the event in line. Nothing of the app's runs before `flush`. */
  emit<E extends keyof Map>(event: E, payload: Map[E]): void;
  /** Nobody hears anything any more. */
  clear(): void;
  /** Delivers what is in line, in order, also when a listener causes more. A listener that throws stops nothing. */
  flush(): void;
}

export function createEvents<Map>(report: (message: string, error: unknown) => void): Events<Map> {
  const listeners = new Set<{ event: keyof Map; listener: (payload: never) => void }>();
  const line: (() => void)[] = [];
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
      line.push(() => {
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
      line.length = 0;
    },
    flush() {
      if (flushing) return;
      flushing = true;
      try {
        for (let task = line.shift(); task; task = line.shift()) task();
      } finally {
        flushing = false;
      }
    },
  };
}
