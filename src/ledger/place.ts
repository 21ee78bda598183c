import type { Store } from "../types/environment.js";
import { type Watch, type WatchedStore, watchedStore } from "./watched-store.js";

/**
 * Where the record is. Its identity is the generation: a change that finds another place than it set out for did not happen there.
 */
interface Where {
  readonly store: Store;
  /** Changes build on this tab's own record: in memory, and in storage that answers again, until the record is durable in it. */
  alone: boolean;
}

/** A store that cannot fail: what storage does not take is done in this tab alone, until storage answers again. */
export interface Place {
  /** Whether transactions order what the tabs do. */
  readonly shared: boolean;
  /** Whether the last write had the tokens in it. */
  readonly whole: boolean;
  /** Makes one change after the other, as a {@link Store} does. `alone`: the change builds on this tab's own record. */
  transact(change: Waiting["change"], done: () => void): void;
  /** Reads as a {@link Store} does. Calls `insist` instead where a transaction is needed. */
  read(see: (value: unknown, mark: unknown) => void, insist: () => void): void;
  /** Writes the mark, as a {@link Store} does, whether storage answers or not. */
  mark: Store["mark"];
  /** Storage does not answer `apply` in `ledger.ts` in time: makes the changes that wait in memory, in order. */
  fallBackToMemory(): void;
  /** The page is in use again: keeps the connection, and asks storage that has failed whether it answers. */
  reconnect(): void;
  /** Lets go of the connection until the next use. `leaving`: at once, since the page may stand still from now on. */
  close(leaving?: boolean): void;
}

/** The functions of a place that know the values. */
export interface Reconciling extends Omit<Watch, "hangs"> {
  /** Returns the part of a value that is stored. `all`: there is room for the tokens. */
  stored(value: unknown, all: boolean): unknown;
  /** Storage answers again, with this value. Undefined while this is no moment to return. */
  comeBack(value: unknown, mark: unknown): { readonly write: unknown; done(): void } | undefined;
  warn(problem: string): void;
}

interface Waiting {
  readonly change: (value: unknown, mark: unknown, alone: boolean) => unknown;
  readonly done: () => void;
  /** Storage has been told, and has not confirmed it: the change may be durable already. */
  told: boolean;
}

interface Asked {
  /** Asks storage once more. */
  ask(): void;
  /** Asks for a transaction in its place. */
  insist(): void;
}

/** A store of this tab alone. It holds no value, since the ledger has its copy. */
const MEMORY: WatchedStore = {
  transact(change, done) {
    change(undefined, undefined);
    done();
  },
  read: (_see, fail) => fail(undefined),
  mark() {},
  close() {},
  forget() {},
};

/** The parts of a place, with its state. */
interface Machine {
  readonly storage: WatchedStore;
  readonly values: Reconciling;
  /** The changes that are not done. */
  readonly line: Set<Waiting>;
  /** The reads that have no answer. */
  readonly reads: Set<Asked>;
  where: Where;
  /** Whether the last write had the tokens in it. */
  whole: boolean;
  /** The question whether storage answers again is under way. */
  probing: boolean;
  /** Until the page is in use again, each use of the connection is the last one. */
  closed: boolean;
  /** Counts the transactions that were answered. */
  answers: number;
}

const SILENT = "storage does not answer; the session asks it again";

function closeAfterUse({ closed, storage }: Machine): void {
  if (closed) storage.close();
}

function finish({ line }: Machine, waiting: Waiting): void {
  if (line.delete(waiting)) waiting.done();
}

function stepDown(machine: Machine): void {
  if (machine.where.store === MEMORY) return;
  machine.storage.close();
  machine.storage.forget();
  machine.where = { store: MEMORY, alone: true };
  machine.whole = false;
  for (const waiting of machine.line) {
    if (waiting.told) finish(machine, waiting);
    else attempt(machine, waiting);
  }
  for (const read of machine.reads) read.insist();
}

function attempt(machine: Machine, waiting: Waiting, all = true): void {
  const { where: here, line, values } = machine;
  here.store.transact(
    (value, mark) => {
      // In memory, or done, by now.
      if (here !== machine.where || !line.has(waiting)) return undefined;
      // A return to storage that is not confirmed may be tried again after this transaction. So what is stored may be older than our record.
      const next = waiting.change(value, mark, here.alone);
      waiting.told = next !== undefined;
      return values.stored(next, all);
    },
    () => {
      machine.answers++;
      if (here === machine.where && waiting.told) machine.whole = all && here.store !== MEMORY;
      finish(machine, waiting);
    },
    () => {
      if (here !== machine.where || !line.has(waiting)) return;
      values.warn(SILENT);
      waiting.told = false;
      if (all) attempt(machine, waiting, false);
      else stepDown(machine);
    },
  );
  closeAfterUse(machine);
}

/** Storage may answer again. What this tab has become meanwhile goes into it, unless the other tabs have gone further. */
function probe(machine: Machine, all = true): void {
  const { storage, values } = machine;
  if (machine.where.store === storage) return;
  machine.probing = true;
  let back: ReturnType<Reconciling["comeBack"]>;
  let here: Where | undefined;
  storage.transact(
    (value, mark) => {
      // After a hang, an earlier question may have been answered first.
      back = machine.where.store === storage ? undefined : values.comeBack(value, mark);
      if (!back) return undefined;
      // From here on, every change waits in line behind this one.
      here = machine.where = { store: storage, alone: true };
      return values.stored(back.write, all);
    },
    () => {
      if (machine.where.store === MEMORY) {
        machine.probing = false;
        return storage.close();
      }
      if (!back || here !== machine.where) return;
      machine.probing = here.alone = false;
      if (back.write) machine.whole = all;
      back.done();
    },
    () => {
      if (machine.where.store === storage && here !== machine.where) return;
      stepDown(machine);
      machine.probing = false;
      storage.close();
      if (all) probe(machine, false);
    },
  );
  closeAfterUse(machine);
}

/**
 * A place steps down twice. First it stores the record without tokens (storage is full), until a later write succeeds. Then it keeps the record in
 * memory (storage is denied, or does not answer), until storage answers again.
 */
export function createPlace(given: Store | undefined, values: Reconciling): Place {
  const storage = given ? watchedStore(given, { ...values, hangs }) : MEMORY;
  const machine: Machine = {
    ...{ storage, values, line: new Set(), reads: new Set(), where: { store: storage, alone: !given } },
    ...{ whole: !!given, probing: false, closed: false, answers: 0 },
  };

  /** Storage has stopped answering (R88): gives the connection up, and asks again on a new one for what has no answer. */
  function hangs(): void {
    values.warn(SILENT);
    storage.close(true);
    if (machine.probing) {
      stepDown(machine);
      return probe(machine);
    }
    // A late answer to the former try counts as well. The change then finds that it is out of the line, and does nothing.
    for (const waiting of machine.line) attempt(machine, waiting);
    for (const read of machine.reads) read.ask();
  }

  return {
    get shared() {
      return machine.where.store !== MEMORY;
    },
    get whole() {
      return machine.whole;
    },
    transact(change, done) {
      const waiting = { change, done, told: false };
      machine.line.add(waiting);
      attempt(machine, waiting);
      if (!machine.probing) probe(machine);
    },
    read(see, insist) {
      const { where: here, answers: before } = machine;
      let tries = 0;
      const settle = (isUsable: boolean, value?: unknown, mark?: unknown) => {
        if (machine.reads.delete(asked)) isUsable ? see(value, mark) : insist();
      };
      const asked: Asked = {
        ask() {
          tries++;
          here.store.read(
            // After a hang, the answers of two connections may come in any order, and this one may be older than what this tab knows.
            (value, mark) => settle(here === machine.where && !here.alone && (tries === 1 || machine.answers === before), value, mark),
            asked.insist,
          );
        },
        insist: () => settle(false),
      };
      machine.reads.add(asked);
      asked.ask();
      closeAfterUse(machine);
    },
    mark: (mark, done) => storage.mark(mark, done),
    fallBackToMemory() {
      values.warn(SILENT);
      stepDown(machine);
      if (!machine.probing) probe(machine);
    },
    reconnect() {
      machine.closed = false;
      if (!machine.probing) probe(machine);
    },
    close(leaving) {
      machine.closed = true;
      storage.close(leaving);
    },
  };
}
