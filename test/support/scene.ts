import { expect, onTestFinished, TestRunner } from "vitest";
import { createSession, memory, oauth2, type Vault, vault } from "../../src/index.js";
import { Clock } from "../../src/testing/clock.js";
import type { GrantOptions } from "../../src/testing/grants.js";
import { Tab } from "../../src/testing/tab.js";
import { API, REVOCATION_ENDPOINT, TOKEN_ENDPOINT, TokenServer } from "../../src/testing/token-server.js";
import { type Lacks, World, type WorldOptions, type WorldTab } from "../../src/testing/world.js";
import type { RefreshStrategy, Session, SessionOptions, TokenResponse } from "../../src/types/index.js";
import { App } from "./app.js";
import { differsInVault, IN_VAULT } from "./in-vault.js";
import { overHttp } from "./msw.js";
import { expectNoSecret, expectNoSecretOnAir } from "./secrets.js";

export interface SceneOptions {
  server?: Partial<GrantOptions>;
  world?: WorldOptions;
  /** Options of every session in the scene. */
  session?: Partial<SessionOptions>;
  /** Requests go through Node's own `fetch` and msw instead of the world's network. */
  http?: boolean;
  /** The refresh tokens are in a worker. @default only if all scenarios run so */
  vault?: boolean;
  /** Tabs may hand each other the access token: in memory mode, and when storage fails. */
  shares?: boolean;
}

/** The option `persist` by its name. */
export const kept = (how: "memory" | "indexeddb") => (how === "memory" ? memory() : how);
export const strategy = () => ofSpa({});
export const revokingStrategy = () => ofSpa({ revocationEndpoint: REVOCATION_ENDPOINT });

/** The further options of each strategy above, so that a scene can keep its refresh tokens in a worker instead. */
const furtherOptions = new WeakMap<object, { revocationEndpoint?: string }>();

function ofSpa(further: { revocationEndpoint?: string }): RefreshStrategy {
  const made = oauth2({ tokenEndpoint: TOKEN_ENDPOINT, clientId: "spa", ...further });
  furtherOptions.set(made, further);
  return made;
}

/** The same strategy, with the refresh tokens in the worker of the scene's browser. */
export function vaultIn(world: World, tab: WorldTab, further: { revocationEndpoint?: string } = {}): Vault {
  const client = { tokenEndpoint: TOKEN_ENDPOINT, clientId: "spa" };
  // The worker ends with the last tab.
  if (IN_VAULT && world.workers.count === 0) world.workers.connect(new Tab(world.clock, "a tab that stays"), { ...client, ...further })();
  return vault({ ...client, worker: world.workers.connect(tab, { ...client, ...further }), shared: true });
}

/**
 * A browser, a server, and sessions in tabs. When the test is over, every session is disposed of, and the scene checks what must hold in
 * every test: nothing is left behind, and no token shows up where it does not belong.
 */
export class Scene {
  readonly clock: Clock;
  readonly server: TokenServer;
  readonly world: World;
  readonly apps: App[] = [];
  #options: SceneOptions;

  constructor(options: SceneOptions) {
    this.#options = options;
    this.clock = new Clock(options.http ? 8 : 2);
    this.server = new TokenServer({ clock: this.clock, ...options.server });
    this.world = new World({ clock: this.clock, server: this.server.handle, ...options.world });
  }

  /** A new tab (or the one given) with a session in it, restored as far as it can be. */
  async open(options: Partial<SessionOptions> = {}, { tab, lacks }: { tab?: WorldTab; lacks?: Lacks } = {}): Promise<App> {
    const app = this.start(options, { tab: tab ?? this.world.tab(undefined, lacks) });
    await this.clock.until(app.session.ready, 3_100);
    return app;
  }

  /** The same, at its very first moment. */
  start(options: Partial<SessionOptions> = {}, { tab = this.world.tab() }: { tab?: WorldTab } = {}): App {
    const environment = this.#options.http
      ? { ...tab.environment, fetch: (input: RequestInfo | URL, init?: RequestInit) => fetch(input, init) }
      : tab.environment;
    const given = { refresh: strategy(), ...this.#options.session, ...options };
    const further = furtherOptions.get(given.refresh);
    const app = new App(createSession as (options: SessionOptions) => Session, tab, {
      allowedOrigins: [API],
      environment,
      ...given,
      ...((this.#options.vault ?? IN_VAULT) && further && { refresh: vaultIn(this.world, tab, further) }),
    } as SessionOptions);
    this.apps.push(app);
    return app;
  }

  /** A new tab in which somebody has just signed in. */
  async signedIn(options: Partial<SessionOptions> = {}, tokens: TokenResponse = this.server.signIn()): Promise<App> {
    const app = await this.open(options);
    await this.clock.until(app.session.signIn(tokens));
    await this.clock.advance(50);
    return app;
  }

  /** The number of the access token that a tab would send now. */
  serial(app: App): number | null {
    return this.server.grants.serialOf(app.bare.peekToken());
  }

  /** Calls the API, and waits for the status of the answer. */
  async call(app: App, path = "/me", init?: RequestInit): Promise<number> {
    const response = await this.clock.until(app.session.fetch(`${API}${path}`, init));
    return response.status;
  }

  /** What a promise comes to: its value, or the code of the error. */
  async outcome(promise: Promise<unknown>, limit?: number): Promise<unknown> {
    const settled = promise.catch((error: unknown) => (error as { code?: unknown }).code ?? error);
    return this.clock.until(settled, limit);
  }

  /** The tab that was the last one to refresh. */
  holder(): App {
    const sent = this.world.network.sent.filter(({ url }) => url === TOKEN_ENDPOINT).at(-1);
    const holder = this.apps.find(({ tab }) => tab.name === sent?.tab) ?? this.apps.find(({ tab }) => tab === this.world.workers.asker);
    if (!holder) throw new Error("no tab has refreshed");
    return holder;
  }

  async finish(): Promise<void> {
    const able = this.apps.filter(({ tab }) => !tab.dead && !tab.frozen);
    for (const { bare } of able) bare.dispose();
    await this.clock.advance(60_000);
    for (const { tab } of able) {
      expect(this.world.leftovers(tab), `left behind by ${tab.name}`).toEqual({
        timers: 0,
        listeners: 0,
        channels: 0,
        connections: 0,
        locks: 0,
      });
    }
    const { grants } = this.server;
    for (const app of this.apps) {
      expectNoSecret(grants.secrets, app.heard, "an event");
      expectNoSecret(grants.secrets, app.debug, "a debug event");
      expectNoSecret(grants.secrets, app.failures, "an error");
      expectNoSecret(grants.secrets, app.tab.reports, "a report");
      expectNoSecret(grants.secrets, app.bare.getSnapshot(), "a snapshot");
    }
    expectNoSecretOnAir(grants, this.world.channels.posted, { accessTokenShared: this.#options.shares === true });
  }
}

/** Sets a scene for one test. */
export function scene(options: SceneOptions = {}): Scene {
  const { name = "", context, suite } = TestRunner.getCurrentTest() ?? {};
  const reason = differsInVault(name) ?? differsInVault(`${suite?.name} ${name}`);
  if (reason) context?.skip(reason);
  const made = new Scene(options);
  const http = options.http ? overHttp(made.server.handle) : undefined;
  http?.listen({ onUnhandledRequest: "error" });
  onTestFinished(async () => {
    try {
      await made.finish();
    } finally {
      http?.close();
    }
  });
  return made;
}

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
