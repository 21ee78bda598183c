import type { Store } from "../types/environment.js";
import type { Tab } from "./tab.js";

/** A transaction of a page, on its way through the store that all pages share. */
export interface Transaction {
  readonly tab: Tab;
  readonly name: string;
  readonly change: Parameters<Store["transact"]>[0];
  readonly done: () => void;
  readonly fail: (error: unknown) => void;
  readonly reads: boolean;
  /** The transaction writes this mark, and needs nothing of its page. */
  readonly mark?: number;
  state: "waiting" | "reading" | "writing" | "over";
}

export const markTransaction = (tab: Tab, name: string, mark: number, done: () => void): Transaction => ({
  ...{ tab, name, mark, done, change: () => mark, fail: () => {} },
  ...{ reads: false, state: "waiting" },
});
