import { type Lane, lastOf } from "../tabs/lane.js";

/** Where instants lie: the past to the left of now, and to the right of it as much as the tokens still live. */
export interface Scale {
  readonly width: number;
  readonly nowX: number;
  /** Pixels for a millisecond. */
  readonly perMs: number;
}

const SHORTEST = 5000;

export function scaleFor(width: number, lifetime: number): Scale {
  return { width, nowX: Math.round(width * 0.62), perMs: (width * 0.3) / Math.max(lifetime, SHORTEST) };
}

/** Of the longest-lived token that is in force. */
export function lifetimeOf(lanes: readonly Lane[]): number {
  const lives = lanes.flatMap((lane) => {
    const token = lastOf(lane, "token");
    return token && token.expiresAt !== null ? [token.expiresAt - token.at] : [];
  });
  return Math.min(300_000, Math.max(SHORTEST, ...lives));
}

const STEPS = [5, 10, 15, 30, 60, 120, 300].map((seconds) => seconds * 1000);

/** Marks on the axis, as distances from now. */
export function ticksOf({ width, nowX, perMs }: Scale): { x: number; label: string }[] {
  const step = STEPS.find((candidate) => candidate * perMs >= 64) ?? 300_000;
  const ticks: { x: number; label: string }[] = [];
  for (let index = -Math.floor(nowX / perMs / step); index * step * perMs < width - nowX - 24; index++) {
    const x = nowX + index * step * perMs;
    if (index !== 0 && x > 24) ticks.push({ x, label: label(index * step) });
  }
  return ticks;
}

function label(milliseconds: number): string {
  const seconds = Math.abs(milliseconds) / 1000;
  const sign = milliseconds < 0 ? "−" : "+";
  return seconds < 120 ? `${sign}${seconds} s` : `${sign}${seconds / 60} min`;
}
