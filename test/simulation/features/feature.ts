import type { LedgerRecord } from "../../../src/ledger/record.js";
import type { Environment } from "../../../src/types/environment.js";
import type { RefreshStrategy, SessionOptions } from "../../../src/types/index.js";
import type { App } from "../app.js";
import type { Browser } from "../browser.js";
import type { Dice, Plan } from "../plan.js";
import type { Answer, Exchange } from "../platform/network.js";
import type { Page } from "../platform/page.js";
import type { Grant } from "../server.js";
import type * as today from "./library.js";

/** A release of the library. */
export type Library = typeof today;

/** What a feature may add to the options of a session. */
export type FeatureOptions = Partial<
  Pick<
    SessionOptions,
    "maxAge" | "idle" | "audiences" | "renewOnOpen" | "renewWhileHidden" | "renewalHeader" | "classify" | "persist" | "dpop"
  >
> & { readonly refreshTimeout?: number; readonly takeoverAfter?: number; readonly refresh?: RefreshStrategy };

/** A call of an app that got a token, or null. */
export interface Got {
  readonly app: App;
  readonly token: string | null;
  readonly audience: string | undefined;
  /** The page ran during the whole call. */
  readonly undisturbed: boolean;
}

/** A write that has just become durable. `before` is what it replaced. */
export interface Write {
  readonly page: Page;
  readonly author: App | undefined;
  readonly before: LedgerRecord | undefined;
  readonly record: LedgerRecord;
}

/** What the API says to a call. */
export interface ApiAnswer {
  readonly status?: number;
  readonly header?: string;
  /** What is wrong with the credentials, for `WWW-Authenticate`. */
  readonly challenge?: string;
  readonly nonce?: string;
  /** Milliseconds that the answer takes longer. */
  readonly later?: number;
}

/** One feature of a seed: what it adds to the browser, and the rules that it looks after. Each has dice of its own. */
export interface Feature {
  /** Options of a session that begins on this page, which has this release of the library. */
  options?(page: Page, library: Library): FeatureOptions;
  /** The release of the library that a page has, in place of this one. */
  library?(page: Page): Library | undefined;
  /** Whether the sessions of a page keep their tokens in memory. */
  keepsInMemory?(page: Page): boolean;
  /** How likely the next event is one of this feature. */
  readonly likelihood?: number;
  happen?(app: App): void;
  /** Before the observer hears of it. */
  wrote?(write: Write): void;
  /** A page posts a message to the others. */
  posted?(page: Page, message: unknown): void;
  /** Before the observer hears of it. */
  sending?(exchange: Exchange): void;
  processed?(exchange: Exchange): void;
  /** The token endpoint's answer in place of the usual one. */
  instead?(exchange: Exchange): Answer | undefined;
  api?(page: Page, url: string, bearer: string | undefined, proof?: string): ApiAnswer | undefined;
  /** The nonce that a server gives with an answer. */
  nonce?(url: string): string | undefined;
  /** What the pages have of WebCrypto. */
  readonly crypto?: Environment["crypto"];
  /** By how many milliseconds the clock of a page is off, in place of what was drawn. */
  skew?(drawn: number): number;
  /** Signs a user in, in a way of its own. */
  signsIn?(subject: string, app: App): void;
  got?(got: Got): void;
  /** The grant of what stands for a refresh token. */
  grantOf?(token: string): Grant | undefined;
  /** Whether nobody has what could renew this session any more. */
  isLost?(record: LedgerRecord, grant: Grant): boolean;
  /** Whether it explains that a session is over although its grant is good. */
  explainsEnd?(record: LedgerRecord): boolean;
  /** Whether a script has told this end, which no session has decided on. */
  isForged?(record: LedgerRecord): boolean;
  /** Whether this commit is none of a refresh. */
  isNoRefresh?(write: Write): boolean;
  /** Whether a session of this grant may have been ended by one that nobody else believes. */
  mayComeBack?(grant: Grant): boolean;
  /** Whether a page writes nothing into the stored session, or into that of an epoch. */
  writesNothing?(page: Page, epoch?: number): boolean;
  /** Whether a tab need not agree with the others. */
  excuses?(app: App): boolean;
  /** Faults have stopped, and some time has passed. */
  step?(): void;
  /** After the tabs have agreed. */
  atEnd?(apps: readonly App[]): void | Promise<void>;
}

export type MakeFeature = (browser: Browser, plan: Plan, dice: Dice) => Feature;

/** Whether all clocks of the seed tell the true time. */
export const isExact = (plan: Plan): boolean => !plan.skewed && !plan.kinds.has("clock-jump");
