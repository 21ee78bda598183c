import { inWords } from "../dom.js";
import { type Lane, lastOf } from "../tabs/lane.js";

/** The place of instants: the past is to the left of now, the rest of the tokens' life is to the right. */
export interface Scale {
  readonly width: number;
  readonly nowX: number;
  /** Pixels per millisecond. */
  readonly perMs: number;
}

const SHORTEST = 5000;

export function scaleFor(width: number, lifetime: number): Scale {
  return { width, nowX: Math.round(width * 0.62), perMs: (width * 0.3) / Math.max(lifetime, SHORTEST) };
}

/** The lifetime of the longest-lived token in use, in milliseconds. */
export function lifetimeOf(lanes: readonly Lane[]): number {
  const lives = lanes.flatMap((lane) => {
    const token = lastOf(lane, "token");
    return token && token.expiresAt !== null ? [token.expiresAt - token.at] : [];
  });
  return Math.min(300_000, Math.max(SHORTEST, ...lives));
}

const STEPS = [5, 10, 15, 30, 60, 120, 300].map((seconds) => seconds * 1000);

/** The marks on the axis, with their distances from now. */
export function ticksOf({ width, nowX, perMs }: Scale): { x: number; label: string }[] {
  const step = STEPS.find((candidate) => candidate * perMs >= 64) ?? 300_000;
  const ticks: { x: number; label: string }[] = [];
  for (let index = -Math.floor(nowX / perMs / step); index * step * perMs < width - nowX - 24; index++) {
    const x = nowX + index * step * perMs;
    if (index !== 0 && x > 24) ticks.push({ x, label: label(index * step) });
  }
  return ticks;
}

const label = (milliseconds: number) => (milliseconds < 0 ? "−" : "+") + inWords(Math.abs(milliseconds));
