/** A task at an instant of one timeline. */
export interface Entry {
  readonly due: number;
  readonly sequence: number;
  readonly run: () => void;
  /** Whether no code of a page runs in the task, so that no promise needs to settle after it. */
  readonly quiet: boolean;
  cancelled: boolean;
}

let sequence = 0;

/** Tasks in the order of their instants. Tasks of one instant keep the order in which they were added, across all timelines. */
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

  /** The next task that is not cancelled. The task stays in the queue. */
  peek(): Entry | undefined {
    while (this.#queue[0]?.cancelled) this.#queue.shift();
    return this.#queue[0];
  }

  /** Removes the next task from the queue, moves to its instant, and runs it. */
  run(): void {
    const entry = this.peek();
    if (!entry) return;
    this.#queue.shift();
    this.now = Math.max(this.now, entry.due);
    entry.run();
  }
}
