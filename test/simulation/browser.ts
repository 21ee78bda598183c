import type { LedgerRecord } from "../../src/ledger/record.js";
import { World } from "../../src/testing/world.js";
import type { DebugEvent } from "../../src/types/index.js";
import { App, type Log } from "./app.js";
import { Faults } from "./faults/faults.js";
import { Features } from "./features/index.js";
import { Observer } from "./observer.js";
import { type Dice, type Kind, NETWORK_KINDS, type NetworkKind, type Plan, SLOW_STORE_STEP, STORE_STEP } from "./plan.js";
import { FastClock } from "./platform/clock.js";
import { API_URL, type Exchange, Network } from "./platform/network.js";
import { Page } from "./platform/page.js";
import { sessionStore } from "./platform/store.js";
import { Authority, type Issued } from "./server.js";
import { cookieStrategy, tokenStrategy } from "./strategies.js";
import { silent, told } from "./trace.js";

const HOUR = 3_600_000;

/** Moments at which a fault tells most. */
export type Moment = "marked" | "sending" | "processed" | "answered" | "stored" | "posting";

/** The browser of one seed: its tabs with the sessions in them, its network and server, and who watches over them. */
export class Browser {
  readonly clock = new FastClock();
  readonly world: World;
  /** The time of a message, in milliseconds. */
  readonly messageDelay: () => number;
  readonly authority: Authority;
  readonly network: Network;
  readonly observer: Observer;
  readonly features: Features;
  readonly pages: Page[] = [];
  readonly apps: App[] = [];
  readonly faults: Faults;
  /** What has happened, and how often. */
  readonly happened = new Map<Kind, number>();
  /** Faults stop. */
  calm = false;
  /** Called at telling moments. */
  strike: (moment: Moment, page: Page) => void = () => {};
  readonly log: Log;
  readonly #plan: Plan;
  readonly #dice: Dice;
  readonly #networkKinds: readonly (readonly [NetworkKind, number])[];

  constructor(plan: Plan, dice: Dice, trace: ((line: string) => void) | undefined) {
    this.#plan = plan;
    this.#dice = dice;
    this.log = trace
      ? (who, what) => trace(`${(this.clock.monotonic() / 1000).toFixed(3).padStart(9)} s  ${who.padEnd(7)} ${what}`)
      : silent;
    this.#networkKinds = NETWORK_KINDS.flatMap((kind) => (plan.kinds.has(kind) ? [[kind, plan.kinds.get(kind) as number] as const] : []));
    const delays = {
      message: () => this.#slow("slow-messages", 5_000) ?? dice.skewed(0, 12),
      lock: () => this.#slow("slow-locks", 2_000) ?? dice.skewed(0, 6),
      store: () => this.#slow("slow-store", SLOW_STORE_STEP) ?? dice.skewed(0, STORE_STEP),
    };
    this.messageDelay = delays.message;
    this.world = new World({ clock: this.clock, delays, chance: dice.chance });
    this.authority = new Authority(() => this.clock.world.now, plan);
    this.observer = new Observer(
      plan,
      () => this.clock.monotonic(),
      (token) => this.features.grantOf(token) ?? this.authority.grantOf(token),
    );
    this.network = new Network(this.clock, dice, this.authority, plan.mode === "cookie", this, () => this.#networkFault());
    this.features = new Features(this, plan);
    this.world.stores.onWrite = ({ tab, value }) => this.#wrote(tab, value as LedgerRecord);
    this.faults = new Faults(this, plan, dice);
  }

  note(kind: Kind): void {
    this.happened.set(kind, (this.happened.get(kind) ?? 0) + 1);
  }

  /** The stored record while it is signed in, and no mark of a sign-out has ended it (R85). */
  get session(): LedgerRecord | undefined {
    const { stored } = this.observer;
    const { stores } = this.world;
    const ends = (mark = 0) => mark > 0 || -mark > (stored?.epoch ?? 0);
    return stored?.signedIn && !stores.names().some((name) => ends(stores.markOf(name))) ? stored : undefined;
  }

  living(): Page[] {
    return this.pages.filter(({ tab }) => !tab.dead);
  }

  appsOf(page: Page): App[] {
    return this.apps.filter((app) => app.page === page);
  }

  open(prepare: (page: Page) => void = () => {}): Page {
    const { locks, channel, store, skewed } = this.#plan;
    const tab = this.world.tab(`tab ${this.pages.length + 1}`, { locks: !locks, channel: !channel, store: !store });
    const skew = this.features.skew(skewed ? this.#dice.whole(-HOUR, HOUR) : 0);
    const page = new Page(tab, this.clock, this.#dice.chance, skew, (own) => this.network.fetchFor(own));
    this.pages.push(page);
    this.log(page.name, skew ? `opens, its clock off by ${Math.round(skew / 1000)} s` : "opens");
    prepare(page);
    this.start(page);
    return page;
  }

  /** A session object on a page; a page may have more than one. */
  start(page: Page): App {
    const { mode, reuseGrace, jwt } = this.#plan;
    const { log, authority, observer, features } = this;
    // A session names itself by the first number that it draws; of so many sessions two would draw the same one, with 32 bits of chance.
    const number = this.apps.length;
    let id = "";
    const random = () => {
      const drawn = page.environment.random() + (id ? 0 : number / 2 ** 52);
      id ||= Math.floor(drawn * 2 ** 52).toString(36);
      return drawn;
    };
    const opened = { page, name: () => id };
    const { refreshTimeout, takeoverAfter, ...further } = { ...timesOf(this.#plan), ...features.options(page) };
    observer.times.set(page, { refreshTimeout, takeoverAfter });
    const library = features.library(page);
    const session = library.createSession({
      refresh: mode === "cookie" ? cookieStrategy : tokenStrategy,
      persist: mode === "memory" ? library.memory() : "indexeddb",
      ...(mode === "cookie" && { cookieSignIn: library.cookieSignIn() }),
      allowedOrigins: [new URL(API_URL).origin],
      environment: this.faults.environment(opened, {
        ...page.environment,
        random,
        ...(features.crypto && { crypto: features.crypto }),
        get hidden() {
          return page.throttled;
        },
        openChannel: this.#watched(page),
        openStore: sessionStore(this.faults.openStore(opened), observer, () => id),
        report: (message) => this.#complained(page, id, message),
      }),
      refreshTimeout,
      takeoverAfter,
      reuseGrace,
      readClaims: jwt,
      ...further,
      ...(log === silent ? {} : { debug: (event: DebugEvent) => log(page.name, `decides ${told(event)}`) }),
    });
    const app: App = new App({
      id,
      page,
      session,
      authority,
      observer,
      refreshTimeout,
      cookies: mode === "cookie",
      isBeginning: (grant) => this.apps.some(({ signingIn }) => signingIn.includes(grant)) || features.mayComeBack(grant),
      got: (got) => features.got({ app, ...got }),
      slowApi: this.#plan.features.has("classify") || this.#plan.features.has("renewal-header"),
      log,
    });
    this.apps.push(app);
    this.faults.started(app);
    return app;
  }

  sending(exchange: Exchange): void {
    this.log(nameOf(exchange), `sends ${exchange.token} to the server (request ${exchange.number})`);
    this.features.sending(exchange);
    this.observer.sending(exchange);
    this.strike("sending", exchange.page);
  }

  processed(exchange: Exchange, outcome: string, next: Issued | undefined): void {
    this.log("server", `request ${exchange.number} with ${exchange.token}: ${outcome}${next ? `, gives out ${next.refreshToken}` : ""}`);
    this.features.processed(exchange);
    if (outcome.startsWith("reused")) this.observer.reused(exchange);
    this.strike("processed", exchange.page);
  }

  answered(exchange: Exchange, what: string): void {
    this.log(nameOf(exchange), `${what} (request ${exchange.number})`);
    this.strike("answered", exchange.page);
  }

  #wrote(name: string, record: LedgerRecord): void {
    const page = this.pages.find((candidate) => candidate.name === name) as Page;
    const { version, fence, signedIn, reason, refreshing, failure } = record;
    const state = signedIn ? (refreshing ? "refreshing" : failure ? `failed, ${failure.code}` : "signed in") : `signed out, ${reason}`;
    const lacks = record.renewedBy === "refreshToken" && !record.tokens?.refreshToken ? ", without its refresh token" : "";
    this.log(page.name, `has stored version ${version}, fence ${fence}: ${state}${lacks}`);
    // Another tab may pass on what one that is cut off from the store, or still in line for it, has told it.
    const app = this.apps.find(({ id }) => id === record.by);
    const holder = this.apps.find(({ id }) => id === refreshing?.tab)?.page ?? page;
    const write = { page, author: app, before: this.observer.stored, record };
    this.features.wrote(write);
    const noRefresh = this.features.isNoRefresh(write);
    const begun = this.observer.wrote(
      { page, author: app?.page ?? page, holder, noRefresh, inMemory: this.features.keepsInMemory(page) },
      record,
      app?.signingIn ?? [],
    );
    if (begun) app?.signedInWith(begun);
    this.strike(refreshing ? "marked" : "stored", page);
  }

  #complained(page: Page, session: string, message: string): void {
    this.log(page.name, `complains: ${message}`);
    if (message.includes("storage")) this.observer.stepDown(session);
  }

  #watched(page: Page) {
    const { openChannel } = page.environment;
    return (
      openChannel &&
      ((name: string) => {
        const channel = openChannel(name);
        const { postMessage } = channel;
        return Object.assign(channel, {
          postMessage: (message: unknown) => {
            this.observer.posted(page, message);
            this.features.posted(page, message);
            postMessage.call(channel, message);
            this.strike("posting", page);
          },
        });
      })
    );
  }

  #slow(kind: Kind, most: number): number | undefined {
    const weight = this.#plan.kinds.get(kind);
    if (!weight || this.calm || !this.#dice.bool(weight * 0.1)) return undefined;
    this.note(kind);
    return this.#dice.skewed(20, most);
  }

  #networkFault(): NetworkKind | undefined {
    if (this.calm || this.#networkKinds.length === 0 || !this.#dice.bool(this.#plan.networkFaults)) return undefined;
    const kind = this.#dice.weighted(this.#networkKinds);
    this.note(kind);
    return kind;
  }
}

const timesOf = ({ refreshTimeout, takeoverAfter }: Plan) => ({ refreshTimeout, takeoverAfter });

const nameOf = ({ page, worker }: Exchange): string => (worker ? `${worker.loop.name} (for ${page.name})` : page.name);
