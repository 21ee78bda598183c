import type { AudiencesPlugin } from "../audiences/audiences.js";
import type { DpopPlugin } from "../dpop/dpop.js";
import { assertKnown } from "../errors.js";
import type { Reads } from "../ledger/format.js";
import { LONGEST_LEASE_MS } from "../ledger/record.js";
import type { IdlePlugin } from "../limits/idle.js";
import type { MaxAgePlugin } from "../limits/max-age.js";
import { browserEnvironment } from "../platform/browser.js";
import type { CookieSignInPlugin } from "../sign-in/cookie-sign-in.js";
import { suspect } from "../token/lifetime.js";
import type { SessionOptions } from "../types/index.js";
import type { ConnectedStrategy } from "./context.js";
import type { MemoryPlugin } from "./memory.js";
import type { RenewalPlugin } from "./renewal-header.js";

/** The options without a default. */
type Open = "name" | "lead" | "jitter" | "classify" | "debug";

/** The options that only a function of this package makes. Their public types have no members. */
interface Plugins {
  readonly persist: "indexeddb" | MemoryPlugin;
  readonly maxAge: MaxAgePlugin | undefined;
  readonly idle: IdlePlugin | undefined;
  readonly cookieSignIn: CookieSignInPlugin | undefined;
  readonly audiences: AudiencesPlugin | undefined;
  readonly dpop: DpopPlugin | undefined;
  readonly renewalHeader: RenewalPlugin | undefined;
}

type Filled<Options> = { readonly [Option in keyof Options]-?: NonNullable<Options[Option]> };

/** The options of a session with their defaults filled in. */
export type Settings = Filled<Omit<SessionOptions, Open | keyof Plugins | "refresh" | "allowedOrigins">> & {
  readonly [Option in Open]: SessionOptions[Option] | undefined;
} & {
  readonly strategy: ConnectedStrategy;
  readonly allowedOrigins: ReadonlySet<string>;
  readonly reads: Reads;
} & Plugins;

/** The expectation in words, its test, and the options that must pass the test, with their defaults. */
type Rule = readonly [expected: string, test: (value: never) => unknown, options: { readonly [Option in keyof SessionOptions]?: unknown }];

const milliseconds = (options: Rule[2], least: number, most = 2 ** 53): Rule => [
  `milliseconds, from ${least} to ${most}`,
  (value) => typeof value === "number" && value >= least && value <= most,
  options,
];

const text = (value: unknown): unknown => value && typeof value === "string";
/** The option takes what this function of the package makes. */
const made = (option: keyof Plugins, by: string, value?: unknown): Rule => [
  `${by}, imported from tokentide`,
  (value: { readonly option?: unknown } | null) => value?.option === option,
  { [option]: value },
];
const isFunction = (value: unknown): boolean => typeof value === "function";

/** Checks the options and fills in the defaults. @throws {TypeError} that names the option, the expectation and the value */
export function normalizeOptions(options: SessionOptions): Settings {
  const { refresh, refreshTimeout = 10_000, environment = browserEnvironment() } = options ?? {};
  const { report, origin } = environment;
  const strategy: ConnectedStrategy = typeof refresh === "function" ? { id: "", needsRefreshToken: false, refresh } : refresh;
  if (!isFunction(strategy?.refresh)) wrong("refresh", "a function, or a strategy such as oauth2({ … })", refresh);
  const { id, renewOnOpen = false, renewEvery: every, cookieSignIn } = strategy;
  const lead = milliseconds({}, 0);
  const memory = made("persist", "memory()");
  // A function has no id. Without a name, two apps of one origin would share a session and post its refresh token to both endpoints.
  const name = id ? undefined : "";
  const rules: Rule[] = [
    [id ? "a non-empty string" : "a non-empty string, since refresh is a function of your own", text, { name }],
    ["a non-empty string", text, { expiryClaim: "exp" }],
    // The origin of an extension's page, or of an app's shell, is never the origin of an API.
    ["an array of strings", Array.isArray, { allowedOrigins: /^http/.test(origin as string) ? [origin] : [], volatileClaims: [] }],
    [`"indexeddb", or ${memory[0]}`, (value) => value === "indexeddb" || memory[1](value), { persist: "indexeddb" }],
    ["a boolean", (value) => typeof value === "boolean", { readClaims: true, renewOnOpen, renewWhileHidden: true }],
    ["a function", isFunction, { classify: undefined, debug: undefined }],
    made("maxAge", "maxAge(…)"),
    made("idle", "idleLimit({ … })"),
    made("cookieSignIn", "cookieSignIn()", cookieSignIn),
    made("renewalHeader", 'renewalHeader("…")'),
    made("dpop", "dpop()"),
    made("audiences", "audiences({ … })"),
    milliseconds({ refreshTimeout }, 1, 300_000),
    milliseconds({ takeoverAfter: Math.max(30_000, 3 * refreshTimeout) }, refreshTimeout + 1, LONGEST_LEASE_MS),
    milliseconds({ reuseGrace: 0 }, 0),
    [`${lead[0]}, or a function`, (value) => isFunction(value) || lead[1](value), { lead: undefined, jitter: undefined }],
  ];
  const settings = Object.assign({ refresh }, ...rules.map(([, , defaults]) => defaults), { environment });
  assertKnown("createSession", options, settings);
  for (const [expected, test, defaults] of rules)
    for (const option in defaults) {
      const { [option as "name"]: value = settings[option] } = options;
      if (value !== undefined && !test(value as never)) wrong(option, expected, value);
      settings[option] = value;
    }
  const { reuseGrace, allowedOrigins } = settings;
  suspect({ refreshTimeout }, report, 100);
  suspect({ reuseGrace, every }, report);
  if (strategy.persist && settings.persist === "indexeddb") settings.persist = strategy.persist;
  const reads = { bound: !!settings.dpop, kept: !!strategy.take };
  return { ...settings, strategy, reads, allowedOrigins: new Set(allowedOrigins.map((value: unknown) => parseOrigin(value))) };
}

/**
 * Returns the normalized origin. The bearer goes to whole origins only, so a path, a query or a wildcard would promise too much.
 * @throws {TypeError} for such a value
 */
export function parseOrigin(value: unknown, option = "allowedOrigins", way?: string): string {
  try {
    // The test reads the text, since `URL` drops parts that the app meant: an empty user name, `/x/..`, a line end.
    if (/^https?:\/\/[^/\\?#@*%\s]+\/?$/i.test(value as string)) return new URL(value as string).origin;
  } catch {}
  return wrong(option, 'origins such as "https://api.example.com", without path or wildcard', value, way);
}

/** @throws {TypeError} that names the option, the expectation and the type of the value, or the value of a string or a number */
export function wrong(option: string, expected: string, value: unknown, way = "createSession"): never {
  const came = /string|number/.test(typeof value) ? JSON.stringify(value) : value && typeof value;
  throw new TypeError(`${way}: ${option} must be ${expected}; it is ${came}`);
}
