/** The marks of sign-outs, by the names of their values. */
export class Marks {
  readonly #stored = new Map<string, number>();
  /** The marks of pages that had no connection, as in localStorage: the transactions of all pages read them there. */
  readonly #kept = new Map<string, number>();

  of(name: string): number | undefined {
    return this.#kept.get(name) ?? this.#stored.get(name);
  }

  store(name: string, mark: number): void {
    this.#stored.set(name, mark);
  }

  keep(name: string, mark: number): void {
    this.#kept.set(name, mark);
  }

  /** A record was written by a transaction that had `read` this mark. A mark that was kept since stays. */
  remove(name: string, read: number | undefined): void {
    this.#stored.delete(name);
    if (this.#kept.get(name) === read) this.#kept.delete(name);
  }

  clear(): void {
    this.#stored.clear();
    this.#kept.clear();
  }
}
