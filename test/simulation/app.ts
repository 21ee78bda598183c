import type { DpopProofs, Session, SessionEvents, TokenSet } from "../../src/types/index.js";
import type { Vault } from "../../src/vault/vault.js";
import type { Got } from "./features/feature.js";
import type { Observer } from "./observer.js";
import type { Page } from "./platform/page.js";
import type { Authority, Grant } from "./server.js";

interface Call {
  readonly name: string;
  readonly limit: number;
  readonly started: number;
  readonly interruptions: number;
  readonly absences: number;
}

/** Timers of a page come a few milliseconds late. */
const TOLERANCE = 300;
/** After standing still, a deadline gives an answer that is waiting a second more (R45). */
const AFTER_STANDING_STILL = 1_300;

/** A page waits so long for its worker. */
const WORKER_WAIT = 35_000;

/** A call by `fetch` may wait for so long once more, whenever the page has stood still, or the clock was set forward. */
const CHANCE_OF_A_CALL = 5_000;

interface Login {
  readonly key?: string | undefined;
  readonly dpopKeyPair?: CryptoKeyPair | undefined;
  readonly tokens?: TokenSet | undefined;
  /** A worker takes the refresh token first. */
  readonly inWorker?: boolean;
}

export type Log = (who: string, what: string) => void;

export interface AppParts {
  readonly id: string;
  readonly page: Page;
  readonly session: Session;
  readonly authority: Authority;
  readonly observer: Observer;
  readonly refreshTimeout: number;
  /** The refresh token is in a cookie. */
  readonly cookies: boolean;
  /** Whether somebody is being signed in with it at this moment: who has a cookie of it already cannot tell whose it is. */
  readonly isBeginning: (grant: Grant) => boolean;
  /** A call got a token, or null. */
  readonly got: (got: Omit<Got, "app">) => void;
  /** Its API, or the app itself, takes long to say what an answer means. */
  readonly slowApi: boolean;
  readonly log: Log;
}

/** What an app on a page does with its session, and what it is owed: P5 for each promise, P3 for each event. */
export class App {
  /** What its session is called in the ledger. */
  readonly id: string;
  readonly page: Page;
  readonly session: Session;
  /** The grants that this app is signing in with, in this order: the next sessions that its page stores. */
  readonly signingIn: Grant[] = [];
  hasSignedOut = false;
  readonly #authority: Authority;
  readonly #observer: Observer;
  readonly #log: Log;
  readonly #refreshTimeout: number;
  readonly #cookies: boolean;
  readonly #isBeginning: (grant: Grant) => boolean;
  readonly #got: AppParts["got"];
  readonly #slowApi: boolean;
  readonly #open = new Set<Call>();
  /** Signed in with while storage did not answer. */
  readonly #late = new Set<Grant>();
  readonly #over = new Set<Grant>();
  /** Whose session was in force when events were last delivered. */
  #grant: Grant | undefined;
  /** It was this tab's alone, whose storage did not answer: nobody can tell what the others have begun meanwhile. */
  #alone = false;
  /** What was delivered in the present task; undefined before the first. */
  #delivered: { ended: boolean } | undefined;

  constructor({ id, page, session, authority, observer, refreshTimeout, cookies, isBeginning, got, slowApi, log }: AppParts) {
    this.id = id;
    this.page = page;
    this.session = session;
    this.#authority = authority;
    this.#observer = observer;
    this.#refreshTimeout = refreshTimeout;
    this.#cookies = cookies;
    this.#isBeginning = isBeginning;
    this.#got = got;
    this.#slowApi = slowApi;
    this.#log = log;
    this.#track("ready", session.ready, 3_000);
    for (const event of ["signed-in", "refreshed", "user-changed"] as const) session.on(event, () => this.#inForce(event));
    session.on("signed-out", (payload) => this.#signedOut(payload));
    session.on("refresh-failed", ({ error }) => log(page.name, `hears refresh-failed (${error.code})`));
  }

  /** Whether a promise of this app is still open. */
  get waits(): boolean {
    return this.#open.size > 0;
  }

  get limit(): number {
    return 2 * this.#refreshTimeout + 5_000;
  }

  getToken(minValidity = 0, audience?: string): void {
    const { interruptions } = this.page;
    const call = this.session.getToken({ minValidity, ...(audience === undefined ? {} : { audience }) });
    const told = [minValidity || "", ...(audience === undefined ? [] : [audience])].join(", ");
    this.#track(`getToken(${told})`, call, this.limit, (value) => {
      const token = value as string | null;
      const grant = this.#authority.grantOf(token);
      this.#got({ token, audience, undisturbed: this.page.interruptions === interruptions });
      // A login that no tab was told of has replaced the cookie, and the session goes on: the tokens of its audiences stay.
      const isReplaced = audience !== undefined && this.#cookies && !this.#observer.hasBegun(this.#grant);
      if (token && grant && this.#over.has(grant) && !isReplaced)
        this.#observer.violateIfPromised("P3", `${this.page.name} got a token of a session that had ended`);
    });
  }

  refresh(): void {
    this.#track("refresh()", this.session.refresh(), this.limit);
  }

  /** All its waits for a token have one limit together (R53); the API and the app take some time, three times at most. */
  fetch(url: string): void {
    this.#track("fetch()", this.session.fetch(url), this.limit + (this.#slowApi ? 30_000 : 7_500));
  }

  signIn(subject: string, { key, dpopKeyPair, tokens: given, inWorker = false }: Login = {}): Grant {
    const issued = given ?? this.#authority.signIn(subject, key);
    const grant = this.#authority.grantOf(issued.accessToken) as Grant;
    if (!this.#observer.isAlone(this.id)) this.#forgetLate();
    this.signingIn.push(grant);
    const { refreshToken: _, ...rest } = issued;
    const tokens = this.#cookies ? rest : issued;
    const forget = () => {
      // Where storage has not answered yet, the session is stored later.
      if (this.#observer.isStored && this.signingIn.includes(grant)) this.#late.add(grant);
      else this.#forget(grant);
    };
    const signing = this.session.signIn({ ...tokens, ...(dpopKeyPair && { dpopKeyPair }) });
    this.#track(`signIn(grant ${grant.id})`, signing, 6_500 + (inWorker ? WORKER_WAIT : 0), forget);
    // The session may have lost the key of the login to another one, or the worker, and says so.
    if (key !== undefined || inWorker) signing.catch(() => this.#forget(grant));
    return grant;
  }

  /** Asks for the key of a login. */
  keyPair(proofs: DpopProofs, then: (keyPair: CryptoKeyPair) => void): void {
    this.#track("keyPair()", proofs.keyPair(), 3_000, (keyPair) => then(keyPair as CryptoKeyPair));
  }

  exchangeCode(vault: Vault, code: string, then: (tokens: TokenSet) => void): void {
    this.#track(`exchangeCode(${code})`, vault.exchangeCode({ code }), WORKER_WAIT, (tokens) => then(tokens as TokenSet));
  }

  /** Storage has it: what it had not been told before, it never will be. */
  signedInWith(grant: Grant): void {
    this.#forget(grant);
    this.#forgetLate();
  }

  #forgetLate(): void {
    for (const grant of this.#late) this.#forget(grant);
    this.#late.clear();
  }

  #forget(grant: Grant): void {
    if (this.signingIn.includes(grant)) this.signingIn.splice(this.signingIn.indexOf(grant), 1);
  }

  signOut(): Promise<void> {
    this.hasSignedOut = true;
    const signedOut = this.session.signOut();
    this.#track("signOut()", signedOut, 100);
    return signedOut;
  }

  /** The end of the run: what has not settled although its time is over. */
  settle(): void {
    for (const call of this.#open) this.#check(call, "has not settled");
  }

  #track(name: string, promise: Promise<unknown>, limit: number, then: (value: unknown) => void = () => {}): void {
    const { page } = this;
    const call: Call = { name, limit, started: page.running(), interruptions: page.interruptions, absences: page.absences };
    this.#open.add(call);
    const settled = (outcome: string) => {
      this.#open.delete(call);
      if (page.tab.dead) return;
      this.#log(page.name, `${name} ${outcome}`);
      this.#check(call, "settled");
    };
    this.#log(page.name, name);
    promise.then(
      (value) => {
        settled(`resolves${typeof value === "string" ? `: ${value.length > 20 ? "a JWT" : value}` : value === null ? ": null" : ""}`);
        then(value);
      },
      (error: unknown) => settled(`rejects: ${(error as { code?: string }).code ?? String(error)}`),
    );
  }

  #check(call: Call, how: string): void {
    const { page } = this;
    if (page.tab.dead) return;
    const taken = page.running() - call.started;
    const stoodStill = page.interruptions - call.interruptions;
    const again = call.name === "fetch()" ? (page.absences - call.absences) * CHANCE_OF_A_CALL : 0;
    const extra = TOLERANCE + again + (stoodStill === 0 ? 0 : AFTER_STANDING_STILL);
    if (taken > call.limit + extra) this.#observer.violate("P5", `${call.name} of ${page.name} ${how} after ${taken} ms of ${call.limit}`);
  }

  #inForce(event: string): void {
    const token = this.session.peekToken();
    const grant = this.#authority.grantOf(token);
    this.#log(this.page.name, `hears ${event}${grant ? ` (grant ${grant.id})` : ""}`);
    this.#deliver(false);
  }

  /** Events that waited come together, when the session is further already: what they add up to is looked at after the last one. */
  #deliver(ended: boolean): void {
    if (!this.#delivered) queueMicrotask(() => this.#look());
    this.#delivered = { ended: ended || this.#delivered?.ended === true };
  }

  #look(): void {
    const ended = this.#delivered?.ended;
    this.#delivered = undefined;
    if (this.page.tab.dead) return;
    const grant = this.#authority.grantOf(this.session.peekToken());
    const known = this.#grant && !this.#alone && !this.#isBeginning(this.#grant);
    if (this.#grant && known && (ended || (grant && grant !== this.#grant))) this.#over.add(this.#grant);
    if (grant && this.#over.has(grant)) this.#observer.violateIfPromised("P3", `${this.page.name} is in a session that had ended there`);
    if (grant !== this.#grant) this.#alone = this.#observer.isAlone(this.id);
    if (grant || ended) this.#grant = grant;
  }

  #signedOut({ reason }: SessionEvents["signed-out"]): void {
    this.#log(this.page.name, `hears signed-out (${reason})`);
    // A session that is out of reach may come back into it.
    if (reason !== "owner-closed") this.#deliver(true);
  }
}
