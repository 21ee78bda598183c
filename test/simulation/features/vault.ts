import { isHandle } from "../../../src/ledger/format.js";
import type { LedgerRecord } from "../../../src/ledger/record.js";
import type { Tab } from "../../../src/testing/tab.js";
import { WorkerHub } from "../../../src/testing/workers.js";
import type { RefreshContext, TokenSet } from "../../../src/types/index.js";
import type { Message } from "../../../src/vault/protocol.js";
import type { Vault } from "../../../src/vault/vault.js";
import type { App } from "../app.js";
import type { Browser } from "../browser.js";
import type { Dice, Plan } from "../plan.js";
import { type Exchange, TOKEN_URL } from "../platform/network.js";
import type { Page } from "../platform/page.js";
import { type Call, CLIENT, hasServerToken, KEEPER, readCall, response, tokenResponse } from "../platform/worker.js";
import type { Grant } from "../server.js";
import { tokenStrategy } from "../strategies.js";
import { CodeServer } from "./code-server.js";
import type { Feature, FeatureOptions, Library, Write } from "./feature.js";
import { WorkerFaults } from "./worker-faults.js";
import { WorkerLog } from "./worker-log.js";

/** The app before it had `vault`. */
const plain = { ...tokenStrategy, id: `${CLIENT.tokenEndpoint} ${CLIENT.clientId}`, clientId: CLIENT.clientId };

/**
 * A worker keeps the refresh tokens, and the pages have handles (`vault`). It is lost now and then, or stands still; it ends with the last tab.
 * Some tabs run the app of before, whose sessions are taken over.
 */
class VaultFeature implements Feature {
  readonly likelihood = 0.08;
  readonly #browser: Browser;
  readonly #dice: Dice;
  readonly #log: WorkerLog;
  readonly #hub: WorkerHub;
  readonly #codes: CodeServer;
  readonly #faults: WorkerFaults;
  /** Each tab has a worker of its own. */
  readonly #alone: boolean;
  /** The app ends sessions by itself, and the reason is the same as of a refusal. */
  readonly #appEnds: boolean;
  /** How many of the pages run the app of before. */
  readonly #olds: number;
  readonly #old = new Map<Page, boolean>();
  readonly #vaults = new Map<Page, Vault[]>();
  /** Why each page has asked last. */
  readonly #causes = new Map<Page, string>();
  /** The sessions that had a handle. */
  readonly #kept = new Set<number>();
  /** The sessions that have ended since the worker is gone. */
  readonly #lost = new Set<number>();

  constructor(browser: Browser, plan: Plan, dice: Dice) {
    this.#browser = browser;
    this.#dice = dice;
    this.#appEnds = plan.features.has("classify");
    this.#log = new WorkerLog(browser, !plan.kinds.has("clock-jump"));
    this.#codes = new CodeServer(browser, dice);
    this.#alone = plan.mode === "memory" && dice.bool(0.5);
    const shares = plan.mode === "persist" && !plan.features.has("releases") && !plan.features.has("mixed-persist");
    this.#olds = shares && dice.bool(0.5) ? 0.4 : 0;
    this.#hub = new WorkerHub({
      ...{ clock: browser.clock, network: { fetchFor: (worker) => this.#begin(worker) }, origin: browser.world.origin },
      delay: browser.messageDelay,
      watch: (tab, worker, message) => this.#log.hears(this.#pageOf(tab), worker, message as Message),
    });
    // A worker of one tab ends with it, and not before.
    this.#faults = new WorkerFaults({ browser, dice, log: this.#log, lose: this.#alone ? undefined : () => this.#hub.crash() });
  }

  #pageOf(tab: Tab): Page {
    return this.#browser.pages.find((page) => page.tab === tab) as Page;
  }

  /** A worker begins. Returns its `fetch`. */
  #begin(worker: Tab): typeof globalThis.fetch {
    this.#faults.begin(worker);
    return (input) => {
      const call = readCall(input);
      return call.url === TOKEN_URL && call.form.get("grant_type") === "refresh_token"
        ? this.#renew(worker, call)
        : this.#codes.answer(worker, call);
    };
  }

  #renew(worker: Tab, { form, signal }: Call): Promise<Response> {
    const { network, observer } = this.#browser;
    const [token = "", audience = ""] = [form.get("refresh_token"), form.get("resource")];
    if (isHandle(token)) observer.violate("vault", `${worker.name} sends a handle`);
    const asked = this.#log.askerOf(worker, token, audience);
    if (!asked) {
      observer.violate("vault", `${worker.name} sends ${token}, for which nobody has asked`);
      return Promise.resolve(response(500));
    }
    const { page, sender } = asked;
    const said = { page, worker: sender, token, audience, cause: this.#causes.get(page) ?? "", proof: undefined };
    return network.exchange({ ...said, signal }, tokenResponse);
  }

  options(page: Page, library: Library): FeatureOptions {
    const { log } = this.#browser;
    if (!this.#old.has(page)) {
      this.#old.set(page, this.#dice.bool(this.#olds));
      page.tab.onDeath.push(() => this.#hub.forget(page.tab));
      if (this.#old.get(page)) log(page.name, "runs the app of before");
    }
    if (this.#old.get(page)) return { refresh: plain };
    const worker = this.#alone ? this.#hub.connectAlone(page.tab, KEEPER) : this.#hub.connect(page.tab, KEEPER);
    const made = library.vault({ ...CLIENT, worker, shared: !this.#alone });
    this.#vaults.set(page, [...(this.#vaults.get(page) ?? []), made]);
    const refresh = (context: RefreshContext) => {
      this.#causes.set(page, context.cause);
      return made.refresh(context);
    };
    return { refresh: { ...made, refresh } };
  }

  /** The pages and the worker are of one device. */
  skew(): number {
    return 0;
  }

  happen(app: App): void {
    this.#dice.weighted([
      [() => this.#faults.happen(), 6],
      [() => this.signsIn(this.#dice.pick(["ada", "grace"]), app), 2],
      [() => this.#renewAll(), 4],
      [() => this.#handOver(), this.#olds ? 3 : 0],
    ])();
  }

  #renewAll(): void {
    for (const app of this.#browser.apps) if (app.page.runs) app.refresh();
  }

  /** A tab of the app of before signs in. The others take its session over, and renew it at the same time. */
  #handOver(): void {
    const { apps, clock } = this.#browser;
    const olds = apps.filter(({ page, signingIn }) => page.runs && this.#old.get(page) && signingIn.length === 0);
    if (olds.length === 0) return;
    this.#dice.pick(olds).signIn(this.#dice.pick(["ada", "grace"]));
    if (this.#dice.bool(0.5)) this.#faults.standStill();
    clock.after(this.#dice.skewed(0, 200), () => this.#browser.calm || this.#renewAll());
  }

  signsIn(subject: string, app: App): void {
    const { page } = app;
    if (!page.runs || app.signingIn.length > 0) return;
    const made = this.#vaults.get(page)?.[this.#browser.appsOf(page).indexOf(app)];
    if (!made) return void app.signIn(subject);
    if (this.#dice.bool(0.5)) return void app.signIn(subject, { inWorker: true });
    const code = this.#codes.code(subject);
    const signIn = (tokens: TokenSet) => {
      if (hasServerToken(tokens)) this.#browser.observer.violate("vault", `${page.name} got a refresh token of the server for its code`);
      if (page.runs && !this.#browser.calm && app.signingIn.length === 0) app.signIn(subject, { tokens, inWorker: true });
    };
    app.exchangeCode(made, code, signIn);
    // A component that is mounted twice.
    if (this.#dice.bool(0.3)) app.exchangeCode(made, code, () => {});
  }

  sending(exchange: Exchange): void {
    const { page, token } = exchange;
    if (isHandle(token)) this.#browser.observer.violate("vault", `${page.name} sends a handle to the server`);
    this.#log.sending(exchange);
    if (!exchange.worker) return;
    this.#faults.strike();
    if (hasServerToken(this.#browser.observer.stored?.tokens) && this.#dice.bool(0.5)) this.#faults.crash(page);
  }

  processed(exchange: Exchange): void {
    if (exchange.worker) this.#faults.strike();
  }

  posted(page: Page, message: unknown): void {
    if (hasServerToken(message)) this.#browser.observer.violate("vault", `${page.name} posts a refresh token of the server`);
  }

  wrote({ page, before, record }: Write): void {
    const { observer, features } = this.#browser;
    const token = record.tokens?.refreshToken;
    if (isHandle(token)) this.#kept.add(record.epoch);
    if (!this.#old.get(page) && hasServerToken(record) && token !== before?.tokens?.refreshToken)
      observer.violate("vault", `${page.name} stored a refresh token of the server`);
    if (before?.signedIn && !record.signedIn && !features.isForged(record)) this.#judgeEnd(page, before, record);
  }

  #judgeEnd(page: Page, before: LedgerRecord, { epoch, reason }: LedgerRecord): void {
    const { observer } = this.#browser;
    const grant = observer.epochs.get(before.epoch)?.grant;
    const isGone = !!grant && this.#isGone(before, grant);
    if (reason === "credential-lost") this.#lost.add(epoch);
    // A tab may have given the stored refresh token to a worker that has ended since.
    const mayBeGone = this.#log.ended > 0 && !isHandle(before.tokens?.refreshToken);
    if (reason === "credential-lost" && grant && !isGone && !mayBeGone)
      observer.violate("vault", `${page.name} ended a session for its worker, which lives`);
    if (reason === "expired") observer.violate("vault", `${page.name} ended a session that a worker keeps, as expired`);
    if (reason === "rejected" && isGone && !grant.revoked && !this.#appEnds)
      observer.violate("vault", `${page.name} takes a lost worker for a refusal`);
  }

  grantOf(token: string): Grant | undefined {
    return isHandle(token) ? this.#log.grantOf(token) : undefined;
  }

  /** Whether no worker has the refresh token of a session. In memory mode, the record has no handle. */
  #isGone({ tokens }: LedgerRecord, grant: Grant): boolean {
    const token = tokens?.refreshToken;
    return token ? isHandle(token) && !this.#log.knows(token) : !this.#log.keeps(grant);
  }

  isLost(record: LedgerRecord, grant: Grant): boolean {
    return record.signedIn && this.#isGone(record, grant);
  }

  explainsEnd({ epoch, reason }: LedgerRecord): boolean {
    return reason === "credential-lost" && this.#lost.has(epoch);
  }

  /** A page of the app of before serves the session of a handle until its token expires, and writes nothing into it. */
  writesNothing(page: Page, epoch?: number): boolean {
    const { stored } = this.#browser.observer;
    return !!this.#old.get(page) && (epoch === undefined ? isHandle(stored?.tokens?.refreshToken) : this.#kept.has(epoch));
  }

  excuses({ page }: App): boolean {
    return this.writesNothing(page);
  }
}

export const vault = (browser: Browser, plan: Plan, dice: Dice): Feature => new VaultFeature(browser, plan, dice);
