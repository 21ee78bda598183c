import type { Environment } from "../platform/environment.js";

/** What the promise resolves to, or undefined if it has not after that many milliseconds, or when `gone` aborts. It goes on. */
export function within<T>(environment: Environment, milliseconds: number, promise: Promise<T>, gone: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      environment.clearTimeout(timer);
      resolve(undefined);
    };
    const timer = environment.setTimeout(giveUp, milliseconds);
    gone.addEventListener("abort", giveUp);
    promise.then(resolve, reject).finally(() => {
      environment.clearTimeout(timer);
      gone.removeEventListener("abort", giveUp);
    });
  });
}
