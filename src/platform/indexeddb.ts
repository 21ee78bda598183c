import type { Store } from "../types/environment.js";

const TABLE = "ledger";
const VALUE = 0;
const MARK = 1;

type Listener = (error: unknown) => void;
type Change = (value: unknown, mark: unknown) => unknown;

/**
 * Writes the mark, and reads nothing before. The browser completes such a transaction after the page has gone, but not one that waits for an
 * answer to the page.
 */
function writeMark(database: IDBDatabase, mark: number, done: () => void): void {
  const transaction = database.transaction(TABLE, "readwrite", { durability: "strict" });
  transaction.objectStore(TABLE).put(mark, MARK);
  transaction.commit();
  transaction.oncomplete = done;
}

/**
 * Keeps the mark in localStorage until it is in the database: there may be no connection, or other transactions are before it. The mark is a number,
 * and no token.
 */
function keepMark(name: string, mark: number): void {
  try {
    localStorage.setItem(name, `${mark}`);
  } catch {
    // The browser denies localStorage, and the database has the mark alone.
  }
}

/** Removes the mark from localStorage, unless there is another one by now. */
function forgetMark(name: string, mark: number): void {
  try {
    if (localStorage.getItem(name) === `${mark}`) localStorage.removeItem(name);
  } catch {
    // The browser denies localStorage.
  }
}

/** Returns the mark in localStorage. It stays there until a transaction has read it and written a record, since its page may have left. */
function keptMark(name: string): number | undefined {
  try {
    const kept = Number(localStorage.getItem(name));
    // Any script of this origin can write there (R93).
    return kept > 0 && kept < Infinity ? kept : undefined;
  } catch {
    // The browser denies localStorage.
    return undefined;
  }
}

/** Opens the database at the first use, and again after `drop`. */
function connectionTo(name: string, isWanted: () => boolean) {
  let connection: IDBDatabase | undefined;
  /** Writes the mark for which there was no connection. */
  let unwritten: (() => void) | undefined;
  /** The uses that wait for a connection. A request to open the database may get no answer, so the next connection serves all of them. */
  const waiting = new Set<(database: IDBDatabase) => void>();

  function open(use: (database: IDBDatabase) => void, fail: (error: unknown) => void): void {
    if (connection) return use(connection);
    waiting.add(use);
    try {
      const request = indexedDB.open(name, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
      // A newer release has raised the version. The session is not known then, as with storage that does not answer (R86).
      request.onerror = () => request.error?.name !== "VersionError" && waiting.delete(use) && fail(request.error);
      request.onsuccess = () => {
        const database = request.result;
        const forget = () => {
          if (connection === database) connection = undefined;
        };
        database.onclose = forget;
        // Another page deletes the database, and an open connection would block it for ever.
        database.onversionchange = () => {
          database.close();
          forget();
        };
        connection?.close();
        connection = database;
        try {
          unwritten?.();
        } catch {
          // A database of another app has no such table, and the uses that wait report that.
        }
        unwritten = undefined;
        if (waiting.size === 0 && !isWanted()) drop();
        for (const each of waiting) if (waiting.delete(each)) each(database);
      };
    } catch (error) {
      waiting.delete(use);
      fail(error);
    }
  }

  function drop(): void {
    connection?.close();
    connection = undefined;
  }

  function mark(value: number, done: () => void): void {
    keepMark(name, value);
    const write = () =>
      writeMark(connection!, value, () => {
        forgetMark(name, value);
        done();
      });
    try {
      write();
    } catch {
      // There is no connection, or it is closing. The mark waits in localStorage for the next connection of this page.
      unwritten = () => {
        // Another tab may have ended the session by the mark while this page was in the back/forward cache, and the user signed in again.
        if (keptMark(name) === value) write();
      };
    }
  }

  return { open, drop, mark };
}

/**
 * Stores one record in a database of its own. All tabs see its transactions in one order. The grant of a lock never overtakes a transaction,
 * as it overtakes localStorage and channel messages. See docs/decisions/0001-ledger-in-indexeddb.md.
 */
export function indexedDbStore(name: string): Store {
  const { open, drop, mark } = connectionTo(name, () => wanted);
  /** Counts the transactions that are under way. */
  let underWay = 0;
  /** The transactions that have read nothing yet, each with the function that begins it again. */
  const unread = new Map<IDBTransaction, () => void>();
  /** The transactions that the store gave up when the page left. */
  const postponed: (() => void)[] = [];
  let wanted = true;

  function attempt(mode: IDBTransactionMode, change: Change, done: Listener, fail: Listener): void {
    open((database) => {
      try {
        // Without `strict`, a power cut may take a rotated token back, and a tab would present the old one again.
        const transaction = database.transaction(TABLE, mode, { durability: "strict" });
        const table = transaction.objectStore(TABLE);
        const marked = table.get(MARK);
        const request = table.get(VALUE);
        let read: number | undefined;
        unread.set(transaction, () => attempt(mode, change, done, fail));
        request.onsuccess = () => {
          if (!unread.delete(transaction)) return;
          try {
            const kept = keptMark(name);
            const mark = (marked.result as number | undefined) ?? 0;
            // A negative number in the database is a mark that a transaction has read in localStorage. It may still be there.
            const next = change(request.result, mark > 0 ? mark : kept && kept !== -mark ? -kept : undefined);
            if (next !== undefined) {
              table.put(next, VALUE);
              if (kept) table.put(-kept, MARK);
              else if (mark > 0) table.delete(MARK);
              read = kept;
            }
          } catch {
            return transaction.abort();
          }
          try {
            // With `commit`, the transaction needs nothing more of this page, which may be leaving.
            transaction.commit();
          } catch {
            // The transaction is being aborted, and calls `onabort`.
          }
        };
        transaction.oncomplete = (event) => {
          if (read) forgetMark(name, read);
          done(event);
        };
        transaction.onabort = () => {
          unread.delete(transaction);
          fail(transaction.error);
        };
      } catch (error) {
        fail(error);
      }
    }, fail);
  }

  /** Aborts the unread transactions. WebKit keeps a transaction of a page in the back/forward cache open, and all other tabs wait for it. */
  function postpone(): void {
    for (const [transaction, again] of unread) {
      transaction.onabort = null;
      try {
        transaction.abort();
      } catch {
        // The transaction is being aborted already.
      }
      postponed.push(again);
    }
    unread.clear();
  }

  function resume(): void {
    for (const again of postponed.splice(0)) again();
  }

  function run(mode: IDBTransactionMode, change: Change, done: () => void, fail: Listener): void {
    wanted = true;
    underWay++;
    resume();
    const ending =
      (listener: Listener): Listener =>
      (error) => {
        underWay--;
        if (!wanted && underWay === 0) drop();
        listener(error);
      };
    // WebKit sometimes loses the connection to its database process, and a new connection works.
    attempt(mode, change, ending(done), () => {
      drop();
      attempt(mode, change, ending(done), ending(fail));
    });
  }

  return {
    transact: (change, done, fail) => run("readwrite", change, done, fail),
    read(see, fail) {
      let found: Parameters<Change> = [undefined, undefined];
      const keep: Change = (...both) => {
        found = both;
      };
      run("readonly", keep, () => see(...found), fail);
    },
    mark,
    close(leaving) {
      wanted = false;
      leaving ? postpone() : resume();
      // The last transaction closes a connection that is still being opened.
      if (underWay === 0 || leaving) drop();
    },
  };
}
