import type { Store } from "../../../src/index.js";

/** What of the ledger's record says that a tab is refreshing. */
interface Marked {
  fence: number;
  refreshing?: unknown;
}

/**
 * What most apps do: the tokens in localStorage, and each tab knows of its own refresh alone. It takes the place of the ledger for the
 * comparison, so that all else is the same.
 */
export function naiveStore(name: string): Store {
  let own: Marked | undefined;

  function read(): Marked | undefined {
    const record = JSON.parse(localStorage.getItem(name) ?? "null") as Marked | null;
    if (!record) return undefined;
    delete record.refreshing;
    return { ...record, ...own };
  }

  return {
    transact(change, done, fail) {
      try {
        const next = change(read()) as Marked | undefined;
        if (next !== undefined) {
          localStorage.setItem(name, JSON.stringify(next));
          own = next.refreshing ? { fence: next.fence, refreshing: next.refreshing } : undefined;
        }
      } catch (error) {
        return fail(error);
      }
      done();
    },
    read(see, fail) {
      let found: unknown;
      try {
        found = read();
      } catch (error) {
        return fail(error);
      }
      see(found);
    },
    close() {},
  };
}
