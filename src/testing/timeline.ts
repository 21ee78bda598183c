/** Something that happens at a moment of one timeline. */
export interface Entry {
  readonly due: number;
  readonly sequence: number;
  readonly run: () => void;
  /** Nothing of a page runs in it, so no promise is to settle after it. */
  readonly quiet: boolean;
  cancelled: boolean;
}

let sequence = 0;

/** Moments in order. Entries of the same moment keep the order in which they were added, across all timelines. */
export class Timeline {
  now = 0;
  #queue: Entry[] = [];

  add(delay: number, run: () => void, quiet = false): Entry {
    sequence += 1;
    const entry: Entry = { due: this.now + Math.max(0, delay), sequence, run, quiet, cancelled: false };
    let low = 0;
    let high = this.#queue.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#queue[middle] as Entry).due <= entry.due) low = middle + 1;
      else high = middle;
    }
    this.#queue.splice(low, 0, entry);
    return entry;
  }

  /** The next entry that is not cancelled; it stays in the queue. */
  peek(): Entry | undefined {
    while (this.#queue[0]?.cancelled) this.#queue.shift();
    return this.#queue[0];
  }

  /** Takes the next entry out, moves to its moment and runs it. */
  run(): void {
    const entry = this.peek();
    if (!entry) return;
    this.#queue.shift();
    this.now = Math.max(this.now, entry.due);
    entry.run();
  }
}
