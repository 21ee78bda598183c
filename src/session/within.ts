import type { Environment } from "../platform/environment.js";
import { deadline } from "../refresh/deadline.js";

/** What the promise resolves to, or undefined if it has not after that many milliseconds, or when `gone` aborts. It goes on. */
export function within<T>(environment: Environment, milliseconds: number, promise: Promise<T>, gone: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      stop();
      resolve(undefined);
    };
    const stop = deadline(environment, environment.monotonic() + milliseconds, giveUp, milliseconds);
    gone.addEventListener("abort", giveUp);
    promise.then(resolve, reject).finally(() => {
      stop();
      gone.removeEventListener("abort", giveUp);
    });
  });
}
