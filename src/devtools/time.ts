/** Epoch milliseconds as milliseconds of `performance.now()`. The current difference counts: the two clocks drift apart while a device sleeps. */
export const toPageTime = (instant: number): number => Math.max(0, performance.now() - Math.max(0, Date.now() - instant));

export const toWallTime = (milliseconds: number): number => Date.now() - (performance.now() - milliseconds);

export function clockTime(instant: number): string {
  const date = new Date(instant);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** `12 s`, `3 min`, `2 h`. */
export function span(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
