import type { Claims, TokenTiming } from "../types/index.js";

/** These options decide when a refresh is due. */
export interface LeadOptions {
  lead?: number | ((token: TokenTiming) => number) | undefined;
  jitter?: number | ((token: TokenTiming) => number) | undefined;
}

/** The default of `lead` and `jitter`: the refresh is due between these two shares of a token's lifetime. */
const EARLIEST = 0.79;
const LATEST = 0.88;

/** Some servers send their largest number for "never". A number that is too large for a date breaks every sum. */
export const LONGEST_LIFE_MS = 1e12;

/** The year 3000. A later instant means "never", or the claim is not in seconds. */
const LAST_INSTANT = 32_503_680_000_000;

/** The lifetime of a new token that has expired by this device's clock, when no other member tells it. Either the clock or the token is wrong. */
export const UNSURE_LIFE_MS = 300_000;

/** The text does not repeat the value: the value may be a misplaced token. */
export const unreadable = (name: string): string => `${name} cannot be read, and is not used`;

/**
 * Returns a number above 0, which some servers write as a string. Returns undefined for any other value, and tells `complain` of it unless the
 * value is absent.
 */
export function positive(value: unknown, name: string, complain?: (problem: string) => void): number | undefined {
  const number = /number|string/.test(typeof value) ? Number(value) : 0;
  if (number > 0 && number < Infinity) return number;
  if (value != null) complain?.(unreadable(name));
  return undefined;
}

/**
 * Returns the instant of a claim in epoch milliseconds. Some servers write milliseconds instead of seconds: read as seconds, such a value
 * would be in the year 33658 or later.
 */
export function instantIn(claims: Claims | null, name: string, complain?: (problem: string) => void): number | undefined {
  const number = positive(claims?.[name], name, complain);
  return number && (number < 1e12 ? number * 1000 : number);
}

/** Returns the expiry of a token in epoch milliseconds, or undefined when no claim has it. */
export const expiryIn = (claims: Claims | null, expiryClaim: string, complain?: (problem: string) => void): number | undefined =>
  instantIn(claims, expiryClaim, complain) ?? instantIn(claims, "exp", complain);

/**
 * Returns the lifetime of a token in milliseconds, or undefined when it is unknown. `exp` − `iat` holds however wrong this device's clock is.
 * But `iat` may be the time of the login, and the token may come from a cache, so `expiresIn` is the upper limit. `now` is on this device's
 * clock: the shared clock stays ahead once one tab was ahead (R68).
 */
export function lifetimeOf(
  claims: Claims | null,
  expiresIn: number | undefined,
  now: number,
  { expiryClaim = "exp", complain }: { expiryClaim?: string; complain?: (problem: string) => void } = {},
): number | undefined {
  const expiry = expiryIn(claims, expiryClaim, complain);
  const iat = instantIn(claims, "iat") as number;
  let lifetime = expiresIn && expiresIn * 1000;
  if (expiry && !(lifetime && expiry > LAST_INSTANT)) {
    const left = expiry - now;
    if (expiry > iat) lifetime = Math.min(lifetime ?? Infinity, expiry - iat);
    else if (left <= 0) lifetime ??= UNSURE_LIFE_MS;
    // `expiresIn` probably describes `exp`, and the claim that the app names may come before `exp`.
    else if (!lifetime || expiryClaim !== "exp") lifetime = Math.min(lifetime ?? left, left);
  }
  return lifetime && Math.min(lifetime, LONGEST_LIFE_MS);
}

/**
 * Tells `complain` of each duration that looks like seconds. Such a duration is below `least`: no app needs so few milliseconds. Without
 * `least`, the duration is below 100, or it is whole minutes below an hour (900) or whole hours (259 200), which are odd as milliseconds.
 */
export function suspect(durations: { readonly [option: string]: unknown }, complain: (problem: string) => void, least?: number): void {
  for (const [option, value] of Object.entries(durations as Record<string, number>)) {
    const [whole, usual] = value < 3600 ? [60, 1500] : [3600, 30_000];
    if (value > 0 && (value < (least ?? 100) || (!least && value % whole === 0 && value % usual)))
      complain(`${option} is in milliseconds, and looks like seconds`);
  }
}

/** Returns the least milliseconds between two refreshes. Without them, a server that sends expired tokens would get request after request. */
export function refreshFloor(lifetime: number | undefined): number {
  return Math.min(1000, (lifetime ?? 5000) / 5);
}

/**
 * Returns the milliseconds before expiry in which the session no longer sends a token, since the token has to arrive while it is valid. The
 * margin is at least a second: a JWT counts whole seconds, so it may expire up to a second before its `exp`.
 */
export function safetyMargin(lifetime: number): number {
  return Math.min(Math.max(lifetime * 0.02, 1000), lifetime / 2, 5000);
}

/**
 * Returns the milliseconds from the issue of a token to its refresh.
 *
 * By default the refresh is due between 79 and 88 % of the lifetime. The first refresh after a sign-in is drawn from the distribution that a
 * fleet has in its stationary state. So the clients that signed in together do not stay in step. See docs/decisions/0004-pace-for-a-fleet.md.
 */
export function dueAfter(
  timing: TokenTiming,
  first: boolean,
  options: LeadOptions,
  { random, complain }: { random: () => number; complain: (problem: string) => void },
): number {
  const { lifetime } = timing;
  const resolve = (name: "lead" | "jitter", fallback: number, least: number): number => {
    let value = options[name] ?? fallback;
    if (typeof value === "function") {
      try {
        value = value(timing);
      } catch {}
      if (!((value as number) >= 0 && (value as number) < Infinity)) {
        complain(`${name}() must return milliseconds, not below 0; the default is used`);
        value = fallback;
      }
    }
    if (lifetime > 60_000) suspect({ [name]: value }, complain, least);
    return value as number;
  };
  const latest = lifetime - safetyMargin(lifetime);
  let due: number;
  if ((options.lead ?? options.jitter) === undefined) {
    due =
      Math.min(lifetime, latest / LATEST) *
      (first ? random() * Math.sqrt(EARLIEST ** 2 + random() * (LATEST ** 2 - EARLIEST ** 2)) : EARLIEST + random() * (LATEST - EARLIEST));
  } else {
    const lead = resolve("lead", (1 - LATEST) * lifetime, 1000);
    const jitter = resolve("jitter", 0, 100);
    // With a lead as long as the lifetime, every new token would be overdue.
    const scale = lead < lifetime ? 1 : ((1 - EARLIEST) * lifetime) / lead;
    due = lifetime - scale * (lead + random() * jitter);
  }
  return Math.max(Math.min(due, latest), refreshFloor(lifetime));
}
