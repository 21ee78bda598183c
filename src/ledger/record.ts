import { LONGEST_PAUSE_MS, type SessionError, type SessionErrorCode } from "../errors.js";
import type { SignedOutReason, TokenSet } from "../types/index.js";
import type { Binding } from "./binding.js";

/** The record on which all tabs agree. Instants are on the shared clock, in epoch milliseconds. `transitions/index.ts` lists each change of it. */
export interface LedgerRecord {
  /** The format of the release that wrote the record. It is absent in a record that no release has stored or told. */
  readonly format?: number | undefined;
  /** The oldest format whose releases may hand out the tokens. */
  readonly servedFrom?: number | undefined;
  /** The number of the session. It grows with every sign-in and sign-out. A result of an older epoch does not count. */
  readonly epoch: number;
  /** Counts commits: sign-ins, sign-outs and refreshes. It never falls. */
  readonly version: number;
  /** Counts leases (a fencing token). A holder that finds another number than its own has lost the lease. */
  readonly fence: number;
  /** The tab that made the last commit. */
  readonly by: string;
  readonly signedIn: boolean;
  readonly reason?: SignedOutReason | undefined;
  readonly signedInAt: number;
  /**
   * The time of the user's last activity in any tab. It is absent before that, and without an idle limit. A change of it is no commit: version
   * and fence stay.
   */
  readonly lastActivityAt?: number | undefined;
  /** The end of the session that the server gave, if any. */
  readonly endsAt?: number | undefined;
  /** The time of the last commit. One tab never makes two commits at the same time. */
  readonly committedAt: number;
  readonly issuedAt: number;
  readonly expiresAt: number | null;
  /** The time of the refresh. The tab that commits draws it once: if N tabs drew, the refresh would come at the minimum of N draws. */
  readonly dueAt: number | null;
  /** Whether no tab can renew the session: it lacks the refresh token that it needs, or the server refused it. */
  readonly final: boolean;
  /** The token that a renewal presents. An access token renews only while it is valid. The member is absent where a cookie renews. */
  readonly renewedBy?: "refreshToken" | "accessToken" | undefined;
  /** The lease of the tab that is refreshing. It outlives its tab, whose request may still be at the server. */
  readonly refreshing?: Lease | undefined;
  /** The last failure since the last commit. In a session that has ended: the failure that ended it. */
  readonly failure?: Failure | undefined;
  /** The renewals that cured nothing, by audience. The session's own audience is `""`. See docs/decisions/0008-renewals-that-cure-nothing-are-paced.md. */
  readonly uncured?: Readonly<Record<string, Uncured | undefined>> | undefined;
  /** The end of the pause that the server asked for. It binds all tabs, for every cause. */
  readonly quietUntil?: number | undefined;
  /** Whether the answer to a sent request never came. The server may have used up the refresh token. */
  readonly lost: boolean;
  /** Whether the tab that signed in keeps the tokens in memory. Then no tab stores them. */
  readonly inMemory?: boolean | undefined;
  /** Whether the tokens are bound to a key (RFC 9449). */
  readonly bound?: true | undefined;
  /** The key of a login that is under way, which the next sign-in takes. */
  readonly pendingKey?: CryptoKeyPair | undefined;
  /** The commit of the access token in `tokens`. It is absent when that is the last commit. */
  readonly renewed?: Renewal | undefined;
  /** The tokens. They are absent in memory mode, and when signed out. */
  readonly tokens?: LedgerTokens | undefined;
}

/** One tab's right to refresh, for a time. */
export interface Lease {
  readonly tab: string;
  readonly since: number;
  readonly timeout: number;
  /** Whether the holder has stored its failure, and still waits for the answer. */
  readonly late?: boolean | undefined;
  /** Whether another tab stole the lock from the holder. The holder may still be at work. */
  readonly robbed?: boolean | undefined;
}

/** The result of the renewals that an API's refusal caused. */
export interface Uncured {
  /** The number of renewals in a row that cured nothing. It is 0 once an API has accepted a token of such a renewal. */
  readonly count: number;
  /** The time of the last write of this entry. */
  readonly at: number;
  /** The commit time of the last renewal for a refusal. It is 0 when a revocation was surely the reason. */
  readonly asked: number;
  /** The commit time of the last renewal in `count`. */
  readonly judged: number;
}

/** The commit of an access token: its version and its time. */
export interface Renewal {
  readonly version: number;
  readonly at: number;
}

export interface LedgerTokens extends TokenSet {
  readonly binding?: Binding | undefined;
  /** Access tokens for other audiences, got with the same refresh token. */
  readonly audiences?: Readonly<Record<string, AudienceToken>> | undefined;
}

export interface AudienceToken extends Renewal {
  /** The access token. It is absent before the first renewal. */
  readonly accessToken?: string | undefined;
  /** How it is sent. @default "Bearer" */
  readonly scheme?: Binding["scheme"] | undefined;
  readonly issuedAt: number;
  readonly expiresAt: number | null;
  readonly dueAt: number | null;
  readonly failure?: Failure | undefined;
}

export interface Failure {
  readonly code: SessionErrorCode;
  readonly status?: number | undefined;
  readonly attempt: number;
  readonly at: number;
  /** The time of the scheduler's next attempt. Null: there is none. */
  readonly retryAt: number | null;
  /** The number of answers in a row, with this one, that were neither tokens nor a refusal although the server works. */
  readonly odd?: number | undefined;
}

/** The error of a failure, in the tab whose attempt failed. Neither storage nor a message holds it. */
export const errorBehind = /* @__PURE__ */ new WeakMap<Failure, SessionError>();

type Check = (value: unknown) => unknown;

/** A number is in the range of a Date. Beyond the range, a further second changes nothing, and the timers would never end. */
export const isNumber = (value: unknown): value is number => typeof value === "number" && Math.abs(value) <= 8.64e15;
const instant: Check = (value) => value === null || isNumber(value);
const flag: Check = (value) => typeof value === "boolean";
const text: Check = (value) => typeof value === "string";
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
export const members =
  (checks: Record<string, Check>): Check =>
  (value) =>
    typeof value === "object" &&
    value !== null &&
    Object.entries(checks).every(([name, check]) => check((value as Record<string, unknown>)[name]));

/** Each use makes the checks, since a bundler cannot leave out a module with calls at its top level. */
export const recordChecks = (): Record<string, Check> => ({
  epoch: isNumber,
  version: isNumber,
  fence: isNumber,
  by: text,
  signedIn: flag,
  signedInAt: isNumber,
  lastActivityAt: optional(instant),
  endsAt: optional(instant),
  committedAt: isNumber,
  issuedAt: isNumber,
  expiresAt: instant,
  dueAt: instant,
  final: flag,
  renewedBy: (value) => [undefined, "refreshToken", "accessToken"].includes(value as undefined),
  refreshing: optional(members({ tab: text, since: isNumber, timeout: isNumber })),
  failure: optional(members({ attempt: isNumber, at: isNumber, retryAt: instant, odd: optional(isNumber) })),
  uncured: optional(
    (value) =>
      typeof value === "object" &&
      Object.values(value ?? {}).every(optional(members({ count: isNumber, at: isNumber, asked: isNumber, judged: isNumber }))),
  ),
  quietUntil: optional(instant),
  lost: flag,
  format: optional(isNumber),
  servedFrom: optional(isNumber),
  inMemory: optional(flag),
  bound: optional(flag),
  renewed: optional(members({ version: isNumber, at: isNumber })),
  tokens: optional(members({ accessToken: optional((value) => text(value) && /^[!-~]+$/.test(value as string)) })),
});

/** No lease stands for longer. */
export const LONGEST_LEASE_MS = 900_000;
/** A tab's moments may be ahead of another tab's clock by so much. */
export const AHEAD_MS = 60_000;

/** The record within its bounds: a record from storage or a channel may be wrong, or hostile (R93). */
export function bounded(record: LedgerRecord, now: number): LedgerRecord {
  const { refreshing, failure, lastActivityAt } = record;
  const latest = now + LONGEST_PAUSE_MS + AHEAD_MS;
  return {
    ...record,
    lastActivityAt: lastActivityAt && Math.min(lastActivityAt, now + AHEAD_MS),
    refreshing: refreshing && { ...refreshing, timeout: Math.min(refreshing.timeout, LONGEST_LEASE_MS) },
    failure: failure && {
      ...failure,
      at: Math.min(failure.at, now + AHEAD_MS),
      retryAt: failure.retryAt && Math.min(failure.retryAt, latest),
    },
  };
}

/** Returns a text that changes with the record. The user's activity does not change it, since a refresh does not depend on that. */
export const news = (record: LedgerRecord | undefined): string => JSON.stringify({ ...record, lastActivityAt: 0 });
