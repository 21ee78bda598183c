import type { Store } from "../../../src/index.js";

/** The members of the ledger's record that mark a refresh. */
interface Marked {
  fence: number;
  refreshing?: unknown;
}

/**
 * Keeps the tokens in localStorage, as most apps do. A tab knows of its own refresh only. For the comparison this store replaces the ledger,
 * so that everything else stays the same.
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
        const next = change(read(), undefined) as Marked | undefined;
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
      see(found, undefined);
    },
    // A change of localStorage is there at once, so a sign-out needs no mark.
    mark: (_mark, done) => done(),
    close() {},
  };
}
