import ky, { type BeforeRetryHook, type KyInstance, type Options } from "ky";
import type { Session } from "./types/index.js";

/**
 * Makes an instance of ky 1 or 2 whose requests go through `session.fetch`. ky's `timeout`, by default 10 s, includes the wait for a refresh.
 * ky's own retries stay as `options` has them: a new token does not cure their causes. After `user-changed`, nothing is sent again, since it
 * would be sent as the new user.
 */
export function createKy(session: Pick<Session, "fetch">, options: Omit<Options, "fetch"> = {}): KyInstance {
  const beforeRetry = [endForFormerUser, ...(options.hooks?.beforeRetry ?? [])];
  return ky.create({ ...options, hooks: { ...options.hooks, beforeRetry }, fetch: session.fetch });
}

/** ky asks for a hook: `retry` of a call replaces the one of the instance, and ky 1 repeats after every error. */
const endForFormerUser: BeforeRetryHook = ({ error }) => {
  if ((error as { readonly code?: unknown }).code === "user-changed") throw error;
};
