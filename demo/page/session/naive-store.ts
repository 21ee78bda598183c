import type { Store } from "../../../src/index.js";

/**
 * What most apps do: the tokens in localStorage, and nobody says that it is refreshing. It takes the place of the ledger for the
 * comparison, so that all else is the same.
 */
export function naiveStore(name: string): Store {
  return {
    transact(change, done, fail) {
      try {
        const next = change(read(name));
        if (next !== undefined) localStorage.setItem(name, JSON.stringify(next));
      } catch (error) {
        return fail(error);
      }
      done();
    },
    close() {},
  };
}

function read(name: string): unknown {
  const record = JSON.parse(localStorage.getItem(name) ?? "null") as { refreshing?: unknown } | null;
  if (record) delete record.refreshing;
  return record ?? undefined;
}
