import type { Environment } from "../platform/environment.js";

const LATE = 250;
const GRACE = 1000;

/**
 * Calls `expire` at `end`, on the monotonic clock. Where the timer itself came late (main thread blocked, page frozen) an answer may be
 * waiting behind it in the queue: it gets a moment more (not above `most`), since a rotated token must not be thrown away because a timer ran first (R45).
 */
export function deadline(environment: Environment, end: number, expire: () => void, most = GRACE): () => void {
  let timer = environment.setTimeout(() => {
    if (environment.monotonic() - end < LATE) return expire();
    timer = environment.setTimeout(expire, Math.min(most, GRACE));
  }, end - environment.monotonic());
  return () => environment.clearTimeout(timer);
}
