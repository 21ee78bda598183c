import { lanes } from "./lanes.js";

const EVERY = 500;
/** Milliseconds. A timer that is later shows that the page stood still. Browsers fire the timers of hidden pages once a minute. */
const LATE = 2500;
const LATE_HIDDEN = 90_000;

let blocked = false;

/** Writes an entry after a time in which no code of this page ran: the device slept, the tab was frozen, or the main thread was busy. */
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

/** Keeps the main thread busy. */
export function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
  blocked = true;
}
