import type { Store } from "./environment.js";

const TABLE = "ledger";

/**
 * One record in a database of its own. Its transactions are what all tabs agree on: unlike localStorage and channel messages, they are
 * never overtaken by the grant of a lock.
 */
export function indexedDbStore(name: string): Store {
  let connection: IDBDatabase | undefined;
  /** Transactions that have been asked for and are not over. */
  let underWay = 0;
  /** Those that have read nothing yet, and how each is begun again. */
  const unread = new Map<IDBTransaction, () => void>();
  /** Given up when the page left. */
  const postponed: (() => void)[] = [];
  let wanted = true;

  function open(use: (database: IDBDatabase) => void, fail: (error: unknown) => void): void {
    if (connection) return use(connection);
    try {
      const request = indexedDB.open(name, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
      request.onerror = () => fail(request.error);
      request.onsuccess = () => {
        const database = request.result;
        const forget = () => {
          if (connection === database) connection = undefined;
        };
        database.onclose = forget;
        // Another page deletes the database: an open connection would block it for ever.
        database.onversionchange = () => {
          database.close();
          forget();
        };
        connection?.close();
        connection = database;
        use(database);
      };
    } catch (error) {
      fail(error);
    }
  }

  function attempt(
    mode: IDBTransactionMode,
    change: (value: unknown) => unknown,
    done: () => void,
    failed: (error: unknown) => void,
  ): void {
    open((database) => {
      let thrown: unknown;
      try {
        // Strict: a rotated token that a power cut takes back would be presented twice.
        const transaction = database.transaction(TABLE, mode, { durability: "strict" });
        const table = transaction.objectStore(TABLE);
        const request = table.get(0);
        unread.set(transaction, () => attempt(mode, change, done, failed));
        request.onsuccess = () => {
          if (!unread.delete(transaction)) return;
          try {
            const next = change(request.result);
            if (next !== undefined) table.put(next, 0);
          } catch (error) {
            thrown = error;
            return transaction.abort();
          }
          try {
            // Nothing more is needed of this page, which may be leaving. And one that only reads is over before anybody hears of it:
            // whatever is done then must not keep the others from writing.
            transaction.commit();
          } catch {
            // It is being aborted, and tells so itself.
            return;
          }
          if (mode === "readwrite") return;
          transaction.onabort = null;
          done();
        };
        if (mode === "readwrite") transaction.oncomplete = done;
        transaction.onabort = () => {
          unread.delete(transaction);
          failed(thrown ?? transaction.error);
        };
      } catch (error) {
        failed(error);
      }
    }, failed);
  }

  /** WebKit keeps a transaction open as long as its page is in the back/forward cache, and all others wait for it. */
  function postpone(): void {
    for (const [transaction, again] of unread) {
      transaction.onabort = null;
      try {
        transaction.abort();
      } catch {
        // It is being aborted already.
      }
      postponed.push(again);
    }
    unread.clear();
  }

  function resume(): void {
    for (const again of postponed.splice(0)) again();
  }

  function drop(): void {
    connection?.close();
    connection = undefined;
  }

  function run(mode: IDBTransactionMode, change: (value: unknown) => unknown, done: () => void, fail: (error: unknown) => void): void {
    wanted = true;
    underWay++;
    resume();
    const over = () => {
      underWay--;
      if (!wanted && underWay === 0) drop();
    };
    const succeeded = () => {
      over();
      done();
    };
    // WebKit loses the connection to its database process now and then; a new one works.
    attempt(mode, change, succeeded, () => {
      drop();
      attempt(mode, change, succeeded, (error) => {
        over();
        fail(error);
      });
    });
  }

  return {
    transact: (change, done, fail) => run("readwrite", change, done, fail),
    read(see, fail) {
      let found: unknown;
      const keep = (value: unknown) => {
        found = value;
      };
      run("readonly", keep, () => see(found), fail);
    },
    close(leaving) {
      wanted = false;
      leaving ? postpone() : resume();
      // One that is still being opened is closed when its transactions are over.
      if (underWay === 0 || leaving) drop();
    },
  };
}
