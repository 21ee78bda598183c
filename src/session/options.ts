import { browserEnvironment } from "../platform/browser.js";
import type { RefreshStrategy, SessionOptions } from "../types.js";

type Open = "renewalHeader" | "lead" | "jitter" | "classify" | "debug" | "idle" | "audiences";

/** The options with nothing left open but what has no default. */
export type Settings = Required<Omit<SessionOptions, Open | "refresh" | "allowedOrigins">> & {
  readonly [Option in Open]: SessionOptions[Option] | undefined;
} & {
  readonly strategy: RefreshStrategy;
  readonly allowedOrigins: ReadonlySet<string>;
};

const LONGEST = 300_000;

/** @throws {TypeError} naming the option, what was expected, and what came. */
export function normalizeOptions(options: SessionOptions): Settings {
  if (typeof options !== "object" || options === null) wrong("options", "an object", options);
  const { refresh, name = "default", persist = "indexeddb", shareAccessToken = true, readClaims = true, expiryClaim = "exp" } = options;
  const {
    lead,
    jitter,
    refreshTimeout = 10_000,
    reuseGrace = 0,
    classify,
    debug,
    renewalHeader,
    idle,
    audiences,
    maxAge = Infinity,
    environment = browserEnvironment(),
  } = options;
  const { takeoverAfter = Math.max(30_000, 3 * refreshTimeout), allowedOrigins = environment.origin ? [environment.origin] : [] } = options;

  const strategy: RefreshStrategy = typeof refresh === "function" ? { id: "", needsRefreshToken: false, refresh } : refresh;
  if (typeof strategy?.refresh !== "function") wrong("refresh", "a function, or a strategy such as oauth2({ … })", refresh);
  const { renewOnOpen = strategy.renewOnOpen ?? false, renewWhileHidden = true } = options;
  for (const [key, value] of Object.entries({ name, expiryClaim, renewalHeader: renewalHeader ?? "x" })) {
    if (typeof value !== "string" || !value) wrong(key, "a non-empty string", value);
  }
  if (persist !== "indexeddb" && persist !== "memory") wrong("persist", '"indexeddb" or "memory"', persist);
  for (const [key, value] of Object.entries({ shareAccessToken, readClaims, renewOnOpen, renewWhileHidden })) {
    if (typeof value !== "boolean") wrong(key, "a boolean", value);
  }
  for (const [key, value] of Object.entries({ classify, debug })) {
    if (value !== undefined && typeof value !== "function") wrong(key, "a function", value);
  }
  for (const [key, value] of Object.entries({ lead, jitter })) {
    if (value !== undefined && typeof value !== "function") duration(key, value, 0, Infinity);
  }
  duration("refreshTimeout", refreshTimeout, 1, LONGEST);
  duration("takeoverAfter", takeoverAfter, refreshTimeout + 1, Infinity);
  duration("reuseGrace", reuseGrace, 0, Infinity);
  if (maxAge !== Infinity) duration("maxAge", maxAge, 1, Infinity);
  if (idle !== undefined && typeof idle?.watch !== "function") wrong("idle", "idleLimit({ … })", idle);
  if (audiences !== undefined && typeof audiences?.connect !== "function") wrong("audiences", "audiences({ … })", audiences);
  if (!Array.isArray(allowedOrigins)) wrong("allowedOrigins", "an array of origins", allowedOrigins);
  return {
    strategy,
    name,
    persist,
    shareAccessToken,
    readClaims,
    expiryClaim,
    renewalHeader,
    lead,
    jitter,
    refreshTimeout,
    takeoverAfter,
    reuseGrace,
    maxAge,
    idle,
    audiences,
    renewOnOpen,
    renewWhileHidden,
    classify,
    debug,
    environment,
    allowedOrigins: new Set(allowedOrigins.map(parseOrigin)),
  };
}

function parseOrigin(value: unknown): string {
  try {
    const { origin, protocol } = new URL(value as string);
    if (/^https?:$/.test(protocol)) return origin;
  } catch {}
  return wrong("allowedOrigins", 'http or https origins such as "https://api.example.com"', value);
}

function duration(option: string, value: unknown, least: number, most: number): void {
  const range = most === Infinity ? `not below ${least}` : `from ${least} to ${most}`;
  if (typeof value !== "number" || !(value >= least && value <= most && value < Infinity)) wrong(option, `milliseconds, ${range}`, value);
}

function wrong(option: string, expected: string, value: unknown): never {
  const came = typeof value === "string" || typeof value === "number" ? JSON.stringify(value) : value === null ? "null" : typeof value;
  throw new TypeError(`createSession: ${option} must be ${expected}; it is ${came}`);
}
