/** The marks of sign-outs, by the names of their values. */
export class Marks {
  readonly #stored = new Map<string, number>();
  /** The marks of pages that had no connection, as in localStorage: the transactions of all pages read them there. */
  readonly #kept = new Map<string, number>();

  /** Returns a mark of localStorage alone as a negative number. */
  of(name: string): number | undefined {
    const kept = this.#kept.get(name);
    return this.#stored.get(name) ?? (kept && -kept);
  }

  store(name: string, mark: number): void {
    this.#stored.set(name, mark);
  }

  keep(name: string, mark: number): void {
    this.#kept.set(name, mark);
  }

  /** The mark is in the database, and its page has heard of it. */
  forget(name: string, mark: number): void {
    if (this.#kept.get(name) === mark) this.#kept.delete(name);
  }

  keptOf(name: string): number | undefined {
    return this.#kept.get(name);
  }

  /** A record was written by a transaction that had found this mark `kept`. A mark that was kept since stays. */
  remove(name: string, kept: number | undefined): void {
    this.#stored.delete(name);
    if (this.#kept.get(name) === kept) this.#kept.delete(name);
  }

  clear(): void {
    this.#stored.clear();
    this.#kept.clear();
  }
}
