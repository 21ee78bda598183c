import { lanes } from "./lanes.js";

const EVERY = 500;
/** A timer that is late by more than this was held up; browsers slow those of hidden pages down to one a minute. */
const LATE = 2500;
const LATE_HIDDEN = 90_000;

let blocked = false;

/** Notices that nothing ran here for a while: the device slept, the tab was frozen, or its main thread was busy. */
export function noticeAbsence(): void {
  let last = Date.now();
  let wasHidden = document.hidden;
  setInterval(() => {
    const now = Date.now();
    if (now - last - EVERY > (wasHidden && document.hidden ? LATE_HIDDEN : LATE)) {
      lanes.write({ kind: "away", at: now, from: last, why: blocked ? "blocked" : "asleep" });
    }
    blocked = false;
    last = now;
    wasHidden = document.hidden;
  }, EVERY);
}

/** Stands still, as a page with too much to do. */
export function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
  blocked = true;
}
