/** One sign-in, with every refresh token that came of it. Plain data, so that a database can store it. */
export interface Family {
  /** The refresh token that renews now. */
  current: string;
  /** The refresh tokens before it, with the instant at which each was used, in epoch milliseconds. */
  readonly used: Record<string, { readonly at: number }>;
  /** Whether the session has ended: by a sign-out, by an administrator, or by a reuse. */
  ended: boolean;
}

/**
 * - `renews`: the token is the current one, and the server exchanges it.
 * - `repeated`: the token was used, but its grace period has not passed.
 * - `reused`: the token was used. The server must end the session, because it cannot tell a thief from the owner.
 * - `ended`: the session has ended before.
 */
export type Verdict = "renews" | "repeated" | "reused" | "ended";

/** The family to which a refresh token belongs, used or not. */
export const familyOf = <F extends Family>(families: readonly F[], token: string): F | undefined =>
  families.find(({ current, used }) => current === token || Object.hasOwn(used, token));

/** Judges a refresh token of the family. `now` is in epoch milliseconds, `grace` in milliseconds; a grace of 0 is strict single use. */
export function judgeRefreshToken({ used, ended }: Family, token: string, { now, grace }: { now: number; grace: number }): Verdict {
  const use = Object.hasOwn(used, token) ? used[token] : undefined;
  if (use && now - use.at >= grace) return "reused";
  if (ended) return "ended";
  return use ? "repeated" : "renews";
}
