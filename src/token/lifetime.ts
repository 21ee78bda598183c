import type { Claims, TokenTiming } from "../types.js";

/** The part of the options that decides when a refresh is due. */
export interface LeadOptions {
  lead?: number | ((token: TokenTiming) => number) | undefined;
  jitter?: number | ((token: TokenTiming) => number) | undefined;
}

/** Some servers say "never" with the largest number they have; what cannot be a date breaks every sum it is in. */
const LONGEST_LIFE = 1e12;

/**
 * Milliseconds that a token lives, or undefined when nobody can tell. Differences of the server's own instants come first: they hold
 * however wrong this device's clock is. A token that has just come and seems to have expired is a wrong clock, not a dead token.
 */
export function lifetimeOf(claims: Claims | null, expiresIn: number | undefined, now: number, expiryClaim = "exp"): number | undefined {
  const lifetime = statedLifetime(claims, expiresIn, now, expiryClaim);
  return lifetime && Math.min(lifetime, LONGEST_LIFE);
}

/** In seconds, as the claim has it; undefined when it is none. */
export function expiryIn(claims: Claims | null, expiryClaim: string): number | undefined {
  const expiry = claims?.[expiryClaim] ?? claims?.exp;
  return typeof expiry === "number" && expiry > 0 && expiry < Infinity ? expiry : undefined;
}

function statedLifetime(claims: Claims | null, expiresIn: number | undefined, now: number, expiryClaim: string): number | undefined {
  const expiry = expiryIn(claims, expiryClaim);
  const iat = claims?.iat;
  if (expiry && typeof iat === "number" && expiry > iat) return (expiry - iat) * 1000;
  const left = expiry && expiry * 1000 > now ? expiry * 1000 - now : undefined;
  // What the answer says is of `exp`, perhaps; a claim that was asked for by name may come before.
  if (expiresIn) return Math.min(expiresIn * 1000, (expiryClaim !== "exp" && left) || Infinity);
  return left;
}

/** No refresh sooner than this after the last one: a server that sends dead tokens must not be hammered. */
export function refreshFloor(lifetime: number | undefined): number {
  return Math.min(1000, (lifetime ?? 5000) * 0.2);
}

/**
 * How long before expiry a token is no longer sent: it has to arrive while it is still valid. At least a second, since a JWT counts in
 * whole seconds and may die that much sooner than it says.
 */
export function safetyMargin(lifetime: number): number {
  return Math.min(Math.max(lifetime * 0.02, 1000), lifetime / 2, 5000);
}

const EARLIEST = 0.79;
const LATEST = 0.88;

/**
 * Milliseconds from issue to the moment the refresh is due.
 *
 * By default between 79 and 88 % of the lifetime. The first one after a sign-in is drawn from the distribution that a fleet in its
 * stationary state has, so that a crowd which signed in together does not stay in step.
 */
export function dueAfter(
  timing: TokenTiming,
  first: boolean,
  options: LeadOptions,
  random: () => number,
  complain: (problem: string) => void,
): number {
  const { lifetime } = timing;
  const resolve = (name: "lead" | "jitter", fallback: number): number => {
    const option = options[name];
    if (typeof option !== "function") return option ?? fallback;
    try {
      const value = option(timing);
      if (value >= 0 && value < Infinity) return value;
    } catch {}
    complain(`${name}() must return milliseconds, not below 0; the default is used`);
    return fallback;
  };
  const latest = lifetime - safetyMargin(lifetime);
  let due: number;
  if (options.lead === undefined && options.jitter === undefined) {
    const span = Math.min(lifetime, latest / LATEST);
    due = first
      ? span * random() * Math.sqrt(EARLIEST ** 2 + random() * (LATEST ** 2 - EARLIEST ** 2))
      : span * (EARLIEST + random() * (LATEST - EARLIEST));
  } else {
    const lead = resolve("lead", (1 - LATEST) * lifetime);
    if (lead < 1000 && lifetime > 60_000) complain(`a lead of ${lead} is less than a second: durations are in milliseconds`);
    // A lead that the token does not outlive would make every token overdue at birth.
    const scale = lead < lifetime ? 1 : ((1 - EARLIEST) * lifetime) / lead;
    due = lifetime - scale * (lead + random() * resolve("jitter", 0));
  }
  return Math.max(Math.min(due, latest), refreshFloor(lifetime));
}
