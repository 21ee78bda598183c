import type { Store } from "../../../src/types/environment.js";
import type { FastClock } from "../platform/clock.js";
import type { Page } from "../platform/page.js";

/**
 * How a hang ends. `answers-late`: the uses under way are answered then. `stays-silent`: no connection that was open before the end answers.
 * `until-reopened`: a new connection works at once, and the old one never does.
 */
export type Ending = "answers-late" | "stays-silent" | "until-reopened";

/** Hears of each use of a store. Returns a function that is called with the answer. */
export type OnUse = () => () => void;

interface Connection {
  /** Grows with each closing. */
  number: number;
  /** Connections up to this number never answer. */
  broken: number;
  /** Uses that have read nothing, and wait for nothing any more. */
  unread: (() => void)[];
  /** They begin again with the next use: the page left. */
  postponed: (() => void)[];
}

const HELD = new Error("the storage of this page hangs");

/** The way of one page to its storage, which may hang. What has been written stays written, though nobody may hear of it. */
export class StoreGate {
  readonly #page: Page;
  readonly #clock: FastClock;
  readonly #connections: Connection[] = [];
  #held: (() => void)[] = [];
  #hang: Ending | undefined;
  /** How often it hung so far. */
  count = 0;

  constructor(page: Page, clock: FastClock) {
    this.#page = page;
    this.#clock = clock;
  }

  /** Whether a use that begins now would not be answered for a while. */
  get hangs(): boolean {
    return this.#hang !== undefined || this.#connections.some(({ number, broken }) => number <= broken);
  }

  /** `until-reopened` has no end of its own. */
  hang(ending: Ending, milliseconds: number): void {
    if (this.hangs) return;
    this.count += 1;
    if (ending === "until-reopened") {
      this.#break();
      return;
    }
    this.#hang = ending;
    this.#clock.after(milliseconds, () => this.end());
  }

  end(): void {
    const ending = this.#hang;
    this.#hang = undefined;
    if (ending === "stays-silent") this.#break();
    for (const again of this.#held.splice(0)) this.#page.tab.post("store", 0, again);
  }

  #break(): void {
    for (const connection of this.#connections) connection.broken = connection.number;
  }

  open(store: Store, onUse: OnUse): Store {
    const connection: Connection = { number: 0, broken: -1, unread: [], postponed: [] };
    this.#connections.push(connection);
    const use = (begin: (way: Way) => void) => {
      for (const again of connection.postponed.splice(0)) again();
      const answered = onUse();
      const attempt = () => {
        const way = this.#way(connection, answered, attempt);
        if (way.isSilent()) way.holdUnread();
        else begin(way);
      };
      attempt();
    };
    return {
      ...store,
      transact: (change, done, fail) =>
        use((way) => {
          const read = (value: unknown, mark: unknown) => {
            if (way.isSilent()) throw HELD;
            return change(value, mark);
          };
          store.transact(read, way.answer(done), (error) => (error === HELD ? way.holdUnread() : way.answer(() => fail(error))()));
        }),
      read: (see, fail) =>
        use((way) =>
          store.read(
            (value, mark) => way.answer(() => see(value, mark))(),
            (error) => way.answer(() => fail(error))(),
          ),
        ),
      close(leaving) {
        connection.number += 1;
        if (leaving) connection.postponed.push(...connection.unread.splice(0));
        store.close(leaving);
      },
    };
  }

  #way(connection: Connection, answered: () => void, attempt: () => void): Way {
    const { number } = connection;
    const isSilent = () => this.#hang !== undefined || number <= connection.broken;
    const answer = (step: () => void) => () => {
      if (!isSilent()) {
        answered();
        step();
      } else if (this.#hang === "answers-late") this.#held.push(answer(step));
    };
    const holdUnread = () => {
      if (!isSilent()) attempt();
      else if (this.#hang === "answers-late") this.#held.push(attempt);
      else connection.unread.push(attempt);
    };
    return { isSilent, answer, holdUnread };
  }
}

/** One try of a use, on the connection of its begin. */
interface Way {
  isSilent(): boolean;
  /** The step, when an answer may come; never, where none comes any more. */
  answer(step: () => void): () => void;
  holdUnread(): void;
}
