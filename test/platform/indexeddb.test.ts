import { describe, expect, it, onTestFinished, vi } from "vitest";
import { indexedDbStore } from "../../src/platform/indexeddb.js";

/** A connection, as much of it as a store uses. */
class Connection {
  closed = false;
  onclose: (() => void) | null = null;
  onversionchange: (() => void) | null = null;
  /** Ends the transactions that have been begun, in order. */
  readonly pending: ((aborted?: boolean) => void)[] = [];
  /** The modes of those that were told to end at once. */
  readonly committed: IDBTransactionMode[] = [];
  aborted = 0;
  /** What each transaction has written. */
  readonly begun: { puts: unknown[] }[] = [];
  /** WebKit has lost its database process; what was read before is told first. */
  lost = false;
  /** The value and the mark, by their keys. */
  readonly table = new Map<number, unknown>([
    [0, 7],
    [1, 7],
  ]);

  close(): void {
    this.closed = true;
  }

  transaction(_table: string, mode: IDBTransactionMode) {
    if (this.closed) throw new DOMException("The database connection is closing.", "InvalidStateError");
    const { table } = this;
    let get: { readonly result: unknown; onsuccess: (() => void) | null } | undefined;
    const made = {
      error: null,
      oncomplete: null as (() => void) | null,
      onabort: null as (() => void) | null,
      puts: [] as unknown[],
      abort: () => {
        this.aborted++;
      },
      commit: () => {
        if (this.lost) throw new DOMException("The transaction is inactive or finished.", "InvalidStateError");
        this.committed.push(mode);
      },
      objectStore,
    };
    function objectStore() {
      return {
        get(key: number) {
          get = {
            get result() {
              return table.get(key);
            },
            onsuccess: null,
          };
          return get;
        },
        put: (value: unknown, key: number) => made.puts.push([value, key]),
        delete: (key: number) => made.puts.push(["nothing", key]),
      };
    }
    this.begun.push(made);
    this.pending.push((aborted) => {
      if (aborted) return made.onabort?.();
      get?.onsuccess?.();
      if (this.lost || this.aborted > 0) made.onabort?.();
      else made.oncomplete?.();
    });
    return made;
  }
}

/** An `indexedDB` that answers when it is told to. */
function setUp() {
  const connections: Connection[] = [];
  const opening: (() => void)[] = [];
  const open = () => {
    const request = { result: new Connection(), onsuccess: null as (() => void) | null };
    opening.push(() => {
      connections.push(request.result);
      request.onsuccess?.();
    });
    return request;
  };
  vi.stubGlobal("indexedDB", { open });
  onTestFinished(() => {
    vi.unstubAllGlobals();
  });
  const told: string[] = [];
  const store = indexedDbStore("a session");
  return {
    store,
    told,
    connections,
    transact: () =>
      store.transact(
        () => undefined,
        () => told.push("done"),
        () => told.push("failed"),
      ),
    read: () =>
      store.read(
        (value) => told.push(`read ${value}, ${connections.at(-1)?.committed}`),
        () => told.push("failed"),
      ),
    answerOpen: () => opening.shift()?.(),
    end: (index = 0, aborted = false) => connections[index]?.pending.shift()?.(aborted),
    open: () => connections.filter(({ closed }) => !closed).length,
  };
}

describe("the connection to the database", () => {
  it("R11 is kept from one transaction to the next, and closed at once when nothing is under way", () => {
    const database = setUp();
    database.transact();
    database.answerOpen();
    database.end();
    database.transact();
    database.end();
    expect([database.connections.length, database.open(), database.told]).toEqual([1, 1, ["done", "done"]]);
    database.store.close();
    expect(database.open()).toBe(0);
  });

  it("R11 that is still being opened when the store is closed is closed after its transaction, which counts", () => {
    const database = setUp();
    database.transact();
    database.store.close();
    database.answerOpen();
    database.end();
    expect([database.told, database.open()]).toEqual([["done"], 0]);
  });

  it("R11 is closed after the last transaction that was under way, not in the midst of them", () => {
    const database = setUp();
    database.transact();
    database.answerOpen();
    database.transact();
    database.store.close();
    database.end();
    expect(database.open()).toBe(1);
    database.end();
    expect([database.told, database.open()]).toEqual([["done", "done"], 0]);
  });

  it("R11 is let go of at once when the page leaves: what has read nothing yet is given up, and done when it is back", () => {
    const database = setUp();
    database.transact();
    database.answerOpen();
    database.read();
    database.store.close(true);
    expect([database.open(), database.connections[0]!.aborted, database.told]).toEqual([0, 2, []]);
    // When the page is back: that it was aborted, and an answer that was on its way already.
    database.end(0, true);
    database.end(0);
    expect(database.told).toEqual([]);

    database.transact();
    for (const _ of "123") database.answerOpen();
    for (const _ of "123") database.end(1);
    expect(database.told).toEqual(["done", expect.stringMatching("read 7"), "done"]);
    database.store.close();
    expect(database.open()).toBe(0);
  });

  it("R11 is let go of when the page leaves, and what was written needs nothing more of it", () => {
    const database = setUp();
    database.transact();
    database.answerOpen();
    database.end();
    database.store.close(true);
    expect(database.connections[0]).toMatchObject({ committed: ["readwrite"], aborted: 0, closed: true });
  });

  it("R11 is not needed for what was given up when the page left, once nobody uses it any more: it is done, and closed", () => {
    const database = setUp();
    database.transact();
    database.answerOpen();
    database.store.close(true);
    database.store.close();
    database.answerOpen();
    database.end(1);
    expect([database.told, database.open()]).toEqual([["done"], 0]);
  });

  it("stays open when the store is used again after it was closed", () => {
    const database = setUp();
    database.transact();
    database.store.close();
    database.transact();
    database.answerOpen();
    database.answerOpen();
    for (const index of [0, 1, 0, 1]) database.end(index);
    expect([database.told, database.open()]).toEqual([["done", "done"], 1]);
  });

  it("is made anew, once, when a transaction is aborted, as WebKit does when it loses its database process", () => {
    const database = setUp();
    database.transact();
    database.answerOpen();
    database.end(0, true);
    database.answerOpen();
    database.end(1);
    expect([database.connections.length, database.told, database.open()]).toEqual([2, ["done"], 1]);
    database.transact();
    database.end(1, true);
    database.answerOpen();
    database.end(2, true);
    expect(database.told).toEqual(["done", "failed"]);
    database.store.close();
    expect(database.open()).toBe(0);
  });

  it("is read in a transaction that is over before anybody hears of it", () => {
    const database = setUp();
    database.read();
    database.answerOpen();
    database.end();
    expect(database.told).toEqual(["read 7, readonly"]);
  });

  it.each([
    ["before the answer", false],
    ["between the answer and its end", true],
  ])("is read once more when the transaction is aborted %s", (_, answered) => {
    const database = setUp();
    database.read();
    database.answerOpen();
    (database.connections[0] as Connection).lost = answered;
    database.end(0, !answered);
    expect(database.told).toEqual([]);
    database.answerOpen();
    database.end(1);
    expect([database.told, database.open()]).toEqual([["read 7, readonly"], 1]);
    database.store.close();
    expect(database.open()).toBe(0);
  });

  it("does not keep another page from deleting the database", () => {
    const database = setUp();
    database.transact();
    database.answerOpen();
    database.end();
    database.connections[0]?.onversionchange?.();
    expect(database.open()).toBe(0);
    database.transact();
    database.answerOpen();
    database.end(1);
    expect(database.told).toEqual(["done", "done"]);
  });
});

describe("R85 the mark of a sign-out", () => {
  /** A localStorage, or one that the browser denies. */
  function keep(denied = false): Map<string, string> {
    const kept = new Map<string, string>();
    const guard = (): undefined => {
      if (denied) throw new DOMException("Access is denied.", "SecurityError");
    };
    vi.stubGlobal("localStorage", {
      getItem: (name: string) => guard() ?? kept.get(name) ?? null,
      setItem: (name: string, value: string) => guard() ?? kept.set(name, value),
      removeItem: (name: string) => guard() ?? kept.delete(name),
    });
    return kept;
  }

  it("is written and committed within the task, and the leaving page gives nothing of it up", () => {
    const kept = keep();
    const database = setUp();
    database.transact();
    database.answerOpen();
    database.end();
    database.store.mark(9, () => database.told.push("marked"));
    database.store.close(true);
    const [connection] = database.connections;
    expect([connection!.begun[1]!.puts, connection!.committed, connection!.aborted]).toEqual([[[9, 1]], ["readwrite", "readwrite"], 0]);
    database.end();
    expect([database.told, kept.size]).toEqual([["done", "marked"], 0]);
  });

  /** What a transaction that writes a record reads beside it, and what it stores. `mark`: the one in the database. */
  function write({ store, connections, answerOpen, end }: ReturnType<typeof setUp>, mark: number | undefined, during = () => {}) {
    let read: unknown;
    store.transact(
      (_value, mark) => {
        read = mark;
        during();
        return "a record";
      },
      () => {},
      () => {},
    );
    answerOpen();
    mark === undefined ? connections[0]!.table.delete(1) : connections[0]!.table.set(1, mark);
    end();
    return { read, puts: connections[0]!.begun.at(-1)!.puts };
  }

  /** The mark of a page that left before it had a connection. */
  function leftBehind(mark: number): Map<string, string> {
    const kept = keep();
    kept.set("a session", `${mark}`);
    return kept;
  }

  it("waits in localStorage for the connection of its page, and is the first to be written there", () => {
    const kept = keep();
    const database = setUp();
    database.transact();
    database.store.mark(9, () => database.told.push("marked"));
    expect([...kept]).toEqual([["a session", "9"]]);
    database.answerOpen();
    database.end();
    expect([database.connections[0]!.begun.map(({ puts }) => puts), database.told, kept.size]).toEqual([[[[9, 1]], []], ["marked"], 0]);
  });

  it("that another tab has read meanwhile, while its page was away, is not written: the user may have signed in again", () => {
    const kept = keep();
    const database = setUp();
    database.transact();
    database.store.mark(9, () => database.told.push("marked"));
    kept.delete("a session");
    database.answerOpen();
    database.end();
    expect([database.connections[0]!.begun.map(({ puts }) => puts), database.told]).toEqual([[[]], ["done"]]);
  });

  it("that cannot be written keeps no use waiting", () => {
    keep();
    const database = setUp();
    database.transact();
    database.store.mark(9, () => {});
    vi.spyOn(Connection.prototype, "transaction").mockImplementationOnce(() => {
      throw new DOMException("There is no such table.", "NotFoundError");
    });
    database.answerOpen();
    database.end();
    expect(database.told).toEqual(["done"]);
  });

  it.each(["-5", "1e999", "0", "no number", ""])("is none where a script of the origin has put %j into localStorage", (value) => {
    const kept = keep();
    kept.set("a session", value);
    expect(write(setUp(), 7)).toEqual({
      read: 7,
      puts: [
        ["a record", 0],
        ["nothing", 1],
      ],
    });
  });

  it("that a page left in localStorage is read there, as one whose order is not known, and removed with the record", () => {
    const kept = leftBehind(9);
    expect(write(setUp(), undefined)).toEqual({
      read: -9,
      puts: [
        ["a record", 0],
        [-9, 1],
      ],
    });
    expect(kept.size).toBe(0);
  });

  it("in the database is removed with the record that is written", () => {
    keep();
    expect(write(setUp(), 7)).toEqual({
      read: 7,
      puts: [
        ["a record", 0],
        ["nothing", 1],
      ],
    });
  });

  it("in the database counts before one in localStorage, and both are over then", () => {
    const kept = leftBehind(9);
    expect(write(setUp(), 7)).toEqual({
      read: 7,
      puts: [
        ["a record", 0],
        [-9, 1],
      ],
    });
    expect(kept.size).toBe(0);
  });

  it("stays where it is when a transaction writes nothing", () => {
    const kept = leftBehind(9);
    const database = setUp();
    database.transact();
    database.answerOpen();
    database.end();
    expect([database.connections[0]!.begun.map(({ puts }) => puts), kept.get("a session")]).toEqual([[[]], "9"]);
  });

  it("that is still in localStorage, since the page left that read it, ends no later session", () => {
    const kept = leftBehind(9);
    expect(write(setUp(), -9)).toEqual({
      read: undefined,
      puts: [
        ["a record", 0],
        [-9, 1],
      ],
    });
    expect(kept.size).toBe(0);
  });

  it("that was read in localStorage stays known as such, also after the write of a worker, which has no localStorage", () => {
    keep(true);
    expect(write(setUp(), -9)).toEqual({ read: undefined, puts: [["a record", 0]] });
  });

  it("of a later sign-out, which was kept since, stays in localStorage", () => {
    const kept = leftBehind(9);
    const { read } = write(setUp(), undefined, () => kept.set("a session", "10"));
    expect([read, kept.get("a session")]).toEqual([-9, "10"]);
  });

  it("is kept in localStorage where the connection is closing", () => {
    const kept = keep();
    const database = setUp();
    database.transact();
    database.answerOpen();
    database.connections[0]!.close();
    database.store.mark(9, () => {});
    expect(kept.get("a session")).toBe("9");
  });

  it("costs a page without localStorage nothing", () => {
    keep(true);
    const database = setUp();
    database.store.mark(9, () => {});
    database.transact();
    database.answerOpen();
    database.end();
    expect(database.told).toEqual(["done"]);
  });
});
