import { createSession } from "../../src/index.js";
import type { LedgerRecord } from "../../src/ledger/record.js";
import type { Environment, Store } from "../../src/platform/environment.js";
import { World } from "../../src/testing/world.js";
import type { DebugEvent } from "../../src/types.js";
import { App, type Log } from "./app.js";
import { Observer } from "./observer.js";
import { type Dice, type Kind, NETWORK_KINDS, type NetworkKind, type Plan } from "./plan.js";
import { FastClock } from "./platform/clock.js";
import { API_URL, type Exchange, Network } from "./platform/network.js";
import { Page } from "./platform/page.js";
import { Authority, type Issued } from "./server.js";
import { cookieStrategy, tokenStrategy } from "./strategies.js";

const HOUR = 3_600_000;

/** Moments at which a fault tells most. */
export type Moment = "marked" | "sending" | "processed" | "answered" | "stored" | "posting";

/** The browser of one seed: its tabs with the sessions in them, its network and server, and who watches over them. */
export class Browser {
  readonly clock = new FastClock();
  readonly world: World;
  readonly authority: Authority;
  readonly network: Network;
  readonly observer: Observer;
  readonly pages: Page[] = [];
  readonly apps: App[] = [];
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
      store: () => this.#slow("slow-store", 400) ?? dice.skewed(0, 6),
    };
    this.world = new World({ clock: this.clock, delays, chance: dice.chance });
    this.authority = new Authority(() => this.clock.world.now, plan);
    this.observer = new Observer(
      plan,
      () => this.clock.monotonic(),
      (token) => this.authority.grantOf(token),
    );
    this.network = new Network(this.clock, dice, this.authority, plan.mode === "cookie", this, () => this.#networkFault());
    this.world.stores.onWrite = ({ tab, value }) => this.#wrote(tab, value as LedgerRecord);
  }

  note(kind: Kind): void {
    this.happened.set(kind, (this.happened.get(kind) ?? 0) + 1);
  }

  living(): Page[] {
    return this.pages.filter(({ tab }) => !tab.dead);
  }

  appsOf(page: Page): App[] {
    return this.apps.filter((app) => app.page === page);
  }

  open(): Page {
    const { locks, channel, store, skewed } = this.#plan;
    const tab = this.world.tab(`tab ${this.pages.length + 1}`, { locks: !locks, channel: !channel, store: !store });
    const skew = skewed ? this.#dice.whole(-HOUR, HOUR) : 0;
    const page = new Page(tab, this.clock, this.#dice.chance, skew, (own) => this.network.fetchFor(own));
    this.pages.push(page);
    this.log(page.name, skew ? `opens, its clock off by ${Math.round(skew / 1000)} s` : "opens");
    this.start(page);
    return page;
  }

  /** A session object on a page; a page may have more than one. */
  start(page: Page): App {
    const { mode, refreshTimeout, takeoverAfter, reuseGrace, jwt } = this.#plan;
    const { log, authority, observer } = this;
    // A session names itself by the first number that it draws; of so many sessions two would draw the same one, with 32 bits of chance.
    const number = this.apps.length;
    let id = "";
    const random = () => {
      const drawn = page.environment.random() + (id ? 0 : number / 2 ** 52);
      id ||= Math.floor(drawn * 2 ** 52).toString(36);
      return drawn;
    };
    const session = createSession({
      refresh: mode === "cookie" ? cookieStrategy : tokenStrategy,
      persist: mode === "memory" ? "memory" : "indexeddb",
      allowedOrigins: [new URL(API_URL).origin],
      environment: {
        ...page.environment,
        random,
        openChannel: this.#watched(page),
        openStore: retrying(
          page.environment.openStore,
          this.#watchedStore(() => id),
        ),
        report: (message) => this.#complained(page, id, message),
      },
      refreshTimeout,
      takeoverAfter,
      reuseGrace,
      readClaims: jwt,
      ...(log === silent ? {} : { debug: (event: DebugEvent) => log(page.name, `decides ${told(event)}`) }),
    });
    const app = new App({
      id,
      page,
      session,
      authority,
      observer,
      refreshTimeout,
      cookies: mode === "cookie",
      isBeginning: (grant) => this.apps.some(({ signingIn }) => signingIn.includes(grant)),
      log,
    });
    this.apps.push(app);
    return app;
  }

  sending(exchange: Exchange): void {
    this.log(exchange.page.name, `sends ${exchange.token} to the server (request ${exchange.number})`);
    this.observer.sending(exchange);
    this.strike("sending", exchange.page);
  }

  processed(exchange: Exchange, outcome: string, next: Issued | undefined): void {
    this.log("server", `request ${exchange.number} with ${exchange.token}: ${outcome}${next ? `, gives out ${next.refreshToken}` : ""}`);
    if (outcome.startsWith("reused")) this.observer.reused(exchange);
    this.strike("processed", exchange.page);
  }

  answered(exchange: Exchange, what: string): void {
    this.log(exchange.page.name, `${what} (request ${exchange.number})`);
    this.strike("answered", exchange.page);
  }

  #wrote(name: string, record: LedgerRecord): void {
    const page = this.pages.find((candidate) => candidate.name === name) as Page;
    const { version, fence, signedIn, reason, refreshing, failure } = record;
    const state = signedIn ? (refreshing ? "refreshing" : failure ? `failed, ${failure.code}` : "signed in") : `signed out, ${reason}`;
    this.log(page.name, `has stored version ${version}, fence ${fence}: ${state}`);
    // Another tab may pass on what one that is cut off from the store, or still in line for it, has told it.
    const app = this.apps.find(({ id }) => id === record.by);
    const holder = this.apps.find(({ id }) => id === refreshing?.tab)?.page ?? page;
    const begun = this.observer.wrote({ page, author: app?.page ?? page, holder }, record, app?.signingIn ?? []);
    if (begun) app?.signedInWith(begun);
    this.strike(refreshing ? "marked" : "stored", page);
  }

  #complained(page: Page, session: string, message: string): void {
    this.log(page.name, `complains: ${message}`);
    if (message.includes("storage")) this.observer.stepDown(session);
  }

  /** A session that has given its storage up tries it again, and closes it if it is not to come back yet. */
  #watchedStore(session: () => string) {
    const { observer } = this;
    return ({ transact, read, close }: Store): Store => {
      let closed = false;
      return {
        transact(change, done, fail) {
          closed = false;
          const alone = observer.isAlone(session());
          const answered = () => {
            done();
            if (alone && !closed) observer.comeBack(session());
          };
          transact(change, answered, fail);
        },
        read(see, fail) {
          closed = false;
          read(see, fail);
        },
        close() {
          closed = true;
          close();
        },
      };
    };
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

const silent: Log = () => {};

const told = ({ type, at: _at, tab: _tab, ...details }: DebugEvent): string =>
  [type, ...Object.entries(details).map(([name, value]) => `${name} ${value}`)].join(", ");

/** A transaction that the browser broke off (of a page that stands still, say) is tried once more, as `indexedDbStore` does. */
function retrying(openStore: Environment["openStore"], watched: (store: Store) => Store): Environment["openStore"] {
  return (
    openStore &&
    ((name) => {
      const { transact, read, close } = openStore(name);
      return watched({
        transact: (change, done, fail) => transact(change, done, () => transact(change, done, fail)),
        read: (see, fail) => read(see, () => read(see, fail)),
        close,
      });
    })
  );
}
