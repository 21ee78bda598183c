import type { Environment } from "../types/environment.js";
import type { TokenSet } from "../types/index.js";

/** An answer of the server serves again for this time, in milliseconds. */
const ANSWER_SERVES_MS = 60_000;

/** An instant by both clocks. A monotonic clock may stand still while the device sleeps. */
export interface Instant {
  readonly wall: number;
  readonly monotonic: number;
}

export type Clocks = Pick<Environment, "now" | "monotonic">;

export const instantIn = (clocks: Clocks): Instant => ({ wall: clocks.now(), monotonic: clocks.monotonic() });

/** Returns the answer with what is left of its lifetimes, while it serves. `sent`: when its request was sent. */
export function aged(tokens: TokenSet, sent: Instant, clocks: Clocks): TokenSet | undefined {
  const { wall, monotonic } = instantIn(clocks);
  const age = Math.max(monotonic - sent.monotonic, wall - sent.wall);
  if (age >= ANSWER_SERVES_MS) return undefined;
  const left = (seconds: number | undefined) => seconds && seconds - age / 1000;
  const answer = { ...tokens, expiresIn: left(tokens.expiresIn), sessionExpiresIn: left(tokens.sessionExpiresIn) };
  return answer.expiresIn! <= 0 || answer.sessionExpiresIn! <= 0 ? undefined : answer;
}
