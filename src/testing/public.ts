import type { Environment, PageSignal } from "../types/environment.js";
import type { Claims, TokenResponse } from "../types/index.js";
import type { Chance } from "./chance.js";
import { type ClockOptions, Clock as VirtualClock } from "./clock.js";
import type { Fault } from "./faults.js";
import type { GrantOptions } from "./grants.js";
import type { Reply, Server } from "./reply.js";
import { TokenServer as StrictServer } from "./token-server.js";
import type { VaultWorkerOptions } from "./workers.js";
import { World as VirtualWorld } from "./world.js";

// The classes behind these interfaces have further members, for this package's own tests. The published types do not declare those.

/**
 * Virtual time with two timelines. Servers are on the world's timeline. The timers of tabs are on the device's timeline, which stands still
 * during `sleep`. The device's wall clock is the world's time plus the sum of all jumps.
 *
 * `sleep`, `advance` and `until` throw while an earlier call still moves the clock, and when tasks follow each other without end at one
 * instant.
 */
export interface Clock {
  /** The device's wall clock, in epoch milliseconds. */
  now(): number;
  /** The servers' wall clock, in epoch milliseconds. */
  worldNow(): number;
  /** The device's monotonic clock, in milliseconds from 0. */
  monotonic(): number;
  /** Resolves after a delay on the world's timeline, as a slow server needs it. */
  pause(milliseconds: number): Promise<void>;
  /** Sets the device's wall clock forward, or back with a negative number. Timers do not notice. */
  jump(milliseconds: number): void;
  /**
   * The device sleeps: the world's timeline runs, the device's timeline stands still. Afterwards a timer waits for the rest of its delay.
   * With `counted`, the monotonic clock counts the sleep, so that an overdue timer fires when time passes again. @default not `counted`
   */
  sleep(milliseconds: number, options?: { counted?: boolean }): Promise<void>;
  /** Lets time pass. Tasks run in the order of their instants, and promises settle after each task. */
  advance(milliseconds: number): Promise<void>;
  /**
   * Lets time pass until the promise settles. Returns its value, or rejects with its reason.
   * @throws {Error} when the promise needs more than `limit` milliseconds of this clock. @default `limit` is 120000
   */
  until<T>(promise: Promise<T>, limit?: number): Promise<T>;
  /** Lets promises settle. No time passes. */
  settle(): Promise<void>;
}

/** `turns`: for how many turns of the real event loop the clock waits until promises have settled. Real requests need about 10. @default 2 */
export const Clock: new (turns?: number, options?: ClockOptions) => Clock = VirtualClock;

/** One tab of a {@link World}. A frozen or blocked tab runs its tasks late. */
export interface WorldTab {
  /** The `name` that `world.tab()` got. @default "tab 1" and so on */
  readonly name: string;
  /** For the option `environment` of `createSession`. */
  readonly environment: Environment;
  /** The arguments of each call of the environment's `report`. */
  readonly reports: readonly { message: string; error: unknown }[];
  /** The user cannot see the page. @default false */
  hidden: boolean;
  /** The browser prerenders the page. A test sets it before it makes the session, and calls `activate()` later. @default false */
  prerendering: boolean;
  /** This tab alone has no network. @default false */
  offline: boolean;
  /** The tab was closed, or has crashed. */
  readonly dead: boolean;
  /** Whether the tab is frozen. A blocked tab is not frozen. */
  readonly frozen: boolean;
  /** Gives the page a signal, such as `"wake"` or `"online"`. */
  signal(signal: PageSignal): void;
  /** The user moves the mouse, presses a key, or scrolls. A dead or frozen page does not notice. */
  activity(): void;
  /** The page gets `pagehide`: the user leaves the page. */
  hide(): void;
  /** The page gets `pageshow`: the user comes back to the page. */
  show(): void;
  /** The user opens the prerendered page: the page gets `prerenderingchange`. */
  activate(): void;
  /** Puts the page into the back/forward cache: `hide()`, then `freeze()`. */
  enterCache(): void;
  /** Takes the page out of the back/forward cache: `thaw()`, then `show()`. */
  leaveCache(): void;
  /** Stops all timers, messages and answers of the page until `thaw()`. */
  freeze(): void;
  /** Ends `freeze()`; the page runs its late tasks. A page that is not frozen ignores the call. */
  thaw(): void;
  /** Keeps the page's main thread busy for so many milliseconds. */
  block(milliseconds: number): void;
  /** The user closes the tab: `hide()`, then no code of the page runs any more. Requests that were sent still reach the server. */
  close(): void;
  /** Ends the tab as `close()` does, without `hide()`. */
  crash(): void;
}

/** The parts of a browser that a tab lacks (`true`), or has in a broken form. @default nothing */
export interface Lacks {
  /** `"null"`: no Web Locks. `"throws"` and `"rejects"`: each request fails. `"never"`: the browser grants no lock. */
  locks?: boolean | "null" | "throws" | "rejects" | "never";
  /** `"throws"`: the constructor of `BroadcastChannel` throws. */
  channel?: boolean | "throws";
  /** `true`: no IndexedDB. */
  store?: boolean;
}

/** Milliseconds that each step takes. Every step calls its function anew, so a simulation can draw all delays from one seed. */
export interface Delays {
  /** From `postMessage` to the other tab. */
  message(from: Pick<WorldTab, "name">, to: Pick<WorldTab, "name">): number;
  /** From a tab to the browser's lock manager, and back. */
  lock(tab: Pick<WorldTab, "name">): number;
  /** Each step of a transaction. */
  store(tab: Pick<WorldTab, "name">): number;
  /** From a tab to a server, and back. */
  network(tab: Pick<WorldTab, "name">): number;
}

export interface WorldOptions {
  /** @default a clock that begins in 2030 */
  clock?: Clock;
  /** Answers each request that a tab sends. @default no server: the connection breaks */
  server?: Server;
  /** The origin of all tabs; undefined for pages without one. @default "https://app.example.test" */
  origin?: string | undefined;
  /** @default 5 ms for each way of a request, 1 ms for all other steps; 0 with `instant` */
  delays?: Partial<Delays>;
  /** Whether all default delays are 0, so that only timers wait until the test moves the clock. @default false */
  instant?: boolean;
  /**
   * Gives the numbers of `environment.random()`, for all tabs. A fixed number is right for one tab only: tabs choose their ids by chance.
   * @default `seeded(1)`
   */
  chance?: Chance;
}

/** A browser, and the tabs of one origin in it. They share locks, channels, a database and the network. */
export interface World {
  readonly clock: Clock;
  /** All tabs that were opened, dead ones included. */
  readonly tabs: readonly WorldTab[];
  readonly origin: string | undefined;
  /** `offline`: no tab has a network. */
  readonly network: { offline: boolean };
  /** Opens a tab. @default a tab with everything that a browser has */
  tab(name?: string, lacks?: Lacks): WorldTab;
  /**
   * Returns a function for the option `worker` of `vault` in this tab. Tabs with equal `options` share a worker, in which `keepTokens(options)` runs;
   * it ends with its last tab.
   */
  vaultWorker(tab: WorldTab, options: VaultWorkerOptions): () => SharedWorker;
  /** Ends all workers while their tabs live, as a crash of the browser's worker process does. The refresh tokens are lost. */
  crashWorkers(): void;
  /** The tabs that are neither closed nor crashed. */
  living(): readonly WorldTab[];
  /** Counts the resources that a tab still has. All numbers are 0 after `dispose`. `locks` counts held locks and waiting requests. */
  leftovers(tab: WorldTab): Record<"timers" | "listeners" | "channels" | "connections" | "locks", number>;
}

export const World: new (options?: WorldOptions) => World = VirtualWorld;

/** A server's clock: a virtual clock, or the real one. */
export interface ServerClock {
  /** Epoch milliseconds. */
  worldNow(): number;
  /** Resolves after a delay. A delay of 0 or less takes no time. */
  pause(milliseconds: number): Promise<void>;
}

export interface TokenServerOptions extends Partial<GrantOptions> {
  /** @default the real clock */
  clock?: ServerClock;
  /** @default "https://auth.example.test/token" */
  tokenEndpoint?: string;
  /** @default "https://auth.example.test/revoke" */
  revocationEndpoint?: string;
}

/** One request to the API, without its token. */
export interface ApiCall {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
  /** The number of the server's access token that came with the request; `"foreign"` for any other credential. */
  readonly bearer: number | "none" | "foreign";
  /** The status of the answer; 0 without an answer. */
  readonly status: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** One request to the token endpoint. */
export interface TokenCall {
  /** Epoch milliseconds. */
  readonly at: number;
  /** `"reused"`: the refresh token had been used before. `"not processed"`: a fault came first. */
  readonly outcome: "refreshed" | "rejected" | "reused" | "not processed";
}

/**
 * A strict authorization server with an API beside it. A refresh token can be used once; a second use ends the session. An unknown option
 * throws.
 */
export interface TokenServer {
  /** The sign-ins that the server knows. */
  readonly grants: {
    /** How tokens are issued; a change holds for the next token. */
    readonly options: GrantOptions;
    /** All tokens that the server has issued. */
    readonly secrets: ReadonlySet<string>;
    /** Ends the sessions of one user, or of all users, as an administrator would. */
    revoke(subject?: string): void;
    /** The next refresh of the user `from` answers with tokens of the user `to`. */
    confuse(from: string, to: string): void;
    /** The API accepts no access token that was issued before. */
    expireAccessTokens(): void;
  };
  /** Faults of the next token requests; each request takes one. */
  readonly faults: Fault[];
  /** The fault of each token request for which `faults` has none. @default null */
  fault: Fault | null;
  /** Milliseconds before a token request is processed, and after. @default 0 */
  latency: { before: () => number; after: () => number };
  /** Milliseconds before the API answers. @default 0 */
  apiLatency: (request: Request) => number;
  /** Gives an answer instead of the API's own; undefined leaves the request to the API. Called when a request arrives. */
  apiAnswer: (call: ApiCall, request: Request) => Reply | undefined;
  /** Answers the requests that have a valid bearer. @default 200 with the token's user, as JSON */
  api: ((request: Request) => Response | Promise<Response>) | undefined;
  readonly apiCalls: readonly ApiCall[];
  readonly tokenCalls: readonly TokenCall[];
  /** How many token requests came (`attempts`) and how they ended, how many were under way at once, and how the API answered. */
  readonly stats: Readonly<
    Record<
      "attempts" | "refreshes" | "rejected" | "reused" | "inFlight" | "maximumInFlight" | "revocations" | "apiOk" | "apiUnauthorized",
      number
    >
  >;
  readonly tokenEndpoint: string;
  readonly revocationEndpoint: string;
  /** Signs a user in, and returns the token response that a login page would get. @default `subject` is "ada" */
  signIn(subject?: string, claims?: Claims): TokenResponse;
  /** For an API of your own: the 401 for a request without a valid bearer; null when the bearer is valid. */
  refuse(request: Request): Response | null;
  /** Answers a request of a virtual tab or of msw: to the token endpoint, to the revocation endpoint, or with any other URL to the API. */
  readonly handle: (request: Request) => Promise<Reply>;
}

export const TokenServer: new (options?: TokenServerOptions) => TokenServer = StrictServer;
