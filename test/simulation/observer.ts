import { sameCommit } from "../../src/ledger/order.js";
import type { LedgerRecord } from "../../src/ledger/record.js";
import type { Plan } from "./plan.js";
import type { Exchange } from "./platform/network.js";
import type { Page } from "./platform/page.js";
import type { Property, Violation } from "./properties.js";
import type { Grant } from "./server.js";

/** Why a used refresh token reached the server again, where that is admitted. */
export type ReuseCause = "answer lost" | "holder stood still" | "holder died" | "answer too late" | "storage did not take the answer";

interface Begun {
  readonly page: Page;
  readonly signedInAt: number;
  grant: Grant | undefined;
  readonly guessed?: boolean;
  /** The record was stored without the refresh token of its session, which its tab alone had then. */
  wasOrphan?: boolean;
}

interface Mark {
  readonly page: Page;
  readonly since: number;
  /** It grows when the mark is prolonged. */
  timeout: number;
  readonly takesOver: boolean;
  last: Exchange | undefined;
}

/** Whose transaction it was, who made the commit in it, and who holds the mark in it: one tab may store what another has told it. */
interface Written {
  readonly page: Page;
  readonly author: Page;
  readonly holder: Page;
  /** The commit brings the token of another answer than a refresh. */
  readonly noRefresh: boolean;
  /** The page keeps tokens in memory, and takes those that it finds out of storage. */
  readonly inMemory: boolean;
}

/** Milliseconds for which an answer is waited for. On a strict server, it is as long as the lease may stand (R84). */
const patience = ({ refreshTimeout, takeoverAfter, reuseGrace }: Plan): number =>
  reuseGrace >= refreshTimeout + 4_000 ? refreshTimeout : takeoverAfter;

/** An answer that comes this shortly before its deadline may be too late to be stored in time. */
const TOO_LATE = 2_500;
/** The same for one that comes by a message of a worker, which may be slow. */
const TOO_LATE_BY_MESSAGE = 7_500;

/** Why a worker may have presented a token once more. The feature `vault` judges that, as the worker sends it. */
const causeIn = ({ worker, abortedAt }: Exchange): ReuseCause =>
  worker?.loop.dead ? "holder died" : abortedAt === undefined ? "answer lost" : "answer too late";

/**
 * What is true in the world, and whether P1 to P3 hold in it. It sees what was stored and what was sent, never what the code under test
 * believes; where the mode promises nothing (no store), a broken property is counted instead.
 */
export class Observer {
  readonly violations: Violation[] = [];
  readonly tolerated = new Map<string, number>();
  readonly reuses = new Map<ReuseCause, number>();
  /** What a fault knows of reuse: whether the second sender could have known of the first use. Then no failure of storage excuses it. */
  judges: { couldKnow(first: Exchange, second: Exchange): boolean; couldStore(first: Exchange): boolean } | undefined;
  /** The record that is durable now. */
  stored: LedgerRecord | undefined;
  /** Which tab signed in, and with which grant, for each epoch that was ever stored. */
  readonly epochs = new Map<number, Begun>();
  /** The deadlines of each page, where they differ from the plan. */
  readonly times = new Map<Page, Pick<Plan, "refreshTimeout" | "takeoverAfter">>();
  readonly #plan: Plan;
  readonly #now: () => number;
  readonly #grantOf: (token: string | undefined) => Grant | undefined;
  readonly #superseded = new Set<string>();
  readonly #ended = new Set<number>();
  readonly #uses = new Map<string, Exchange[]>();
  /** The sessions, by the name that each gave itself, which storage does not answer. */
  readonly #alone = new Set<string>();
  /** With which grant a session was begun, by what the tabs told each other. */
  readonly #told = new Map<number, Grant>();
  /** When each answer has to be there. */
  readonly #deadlines = new WeakMap<Exchange, number>();
  #mark: Mark | undefined;
  /** The last mark of each page. */
  readonly #latest = new Map<Page, Mark>();

  constructor(plan: Plan, now: () => number, grantOf: (token: string | undefined) => Grant | undefined) {
    this.#plan = plan;
    this.#now = now;
    this.#grantOf = grantOf;
  }

  /** The store did not answer a session, which lives by itself until it does. */
  stepDown(session: string): void {
    this.#alone.add(session);
  }

  comeBack(session: string): void {
    this.#alone.delete(session);
  }

  /** Whether what is signed in with comes to be stored, sooner or later. */
  get isStored(): boolean {
    return this.#plan.store;
  }

  /** Whether a session of this grant was ever stored. */
  hasBegun(grant: Grant | undefined): boolean {
    return [...this.epochs.values()].some((session) => session.grant === grant);
  }

  isAlone(session: string): boolean {
    return this.#alone.has(session);
  }

  violate(property: Property, text: string): void {
    const at = this.#now();
    // A session whose storage has failed is one without a store: docs/correctness.md says what it can promise.
    if (this.#alone.size > 0 && !this.#isStrict(property)) this.#tolerate(property);
    else this.violations.push({ property, text, at });
  }

  /** A rule of a fault says by itself whom it binds. Where storage hangs and comes back, it excuses no tab at the end (R88). */
  #isStrict(property: Property): boolean {
    return property.startsWith("R") || property === "vault" || (this.#plan.kinds.has("storage-hangs") && ["P4", "P5"].includes(property));
  }

  /** For what a mode without a store does not promise. */
  violateIfPromised(property: Property, text: string): void {
    if (this.#plan.store) this.violate(property, text);
    else this.#tolerate(property);
  }

  #tolerate(property: Property): void {
    this.count(property);
  }

  /** What no client can help. */
  count(what: string): void {
    this.tolerated.set(what, (this.tolerated.get(what) ?? 0) + 1);
  }

  /** A transaction has become durable. Returns with which grant it began a session, if it did: one of `signingIn` where the record does not tell. */
  wrote({ page, author, holder, noRefresh, inMemory }: Written, record: LedgerRecord, signingIn: readonly Grant[]): Grant | undefined {
    const before = this.stored;
    this.stored = record;
    const session = this.epochs.get(record.epoch);
    if (session) session.wasOrphan ||= record.renewedBy === "refreshToken" && !record.tokens?.refreshToken;
    const now = this.#now();
    if (before) this.#neverBack(page, before, record);
    // A count that a tab without storage has gone on by is no commit.
    const same = sameCommit(record, before);
    const moves = inMemory && record.inMemory && !before?.inMemory;
    if (before && same && record.renewedBy && before.tokens?.refreshToken && !record.tokens?.refreshToken && !moves)
      this.violate("P3", `${page.name} took the refresh token out of what was stored`);
    const renewed =
      !noRefresh && before !== undefined && record.signedIn && record.epoch === before.epoch && record.version > before.version && !same;
    if (renewed) {
      const marked = before.refreshing && this.#mark?.page;
      const own = this.#latest.get(author);
      if (!own || (marked && marked !== author))
        this.violate("P3", `${author.name} committed although ${marked?.name ?? "it never"} held the mark`);
      // A tab that lived without storage may have sent the very token that it stores now.
      if (own?.last && own.last.token !== record.tokens?.refreshToken) this.#superseded.add(own.last.token);
    }
    if (before?.signedIn && record.epoch !== before.epoch) {
      this.#ended.add(before.epoch);
      const grant = this.epochs.get(before.epoch)?.grant;
      if (grant && record.reason === "user") grant.signedOut = true;
    }
    if (!record.signedIn) this.#ended.add(record.epoch);
    const begins = record.signedIn && !this.epochs.has(record.epoch);
    const stored = this.#grantOf(record.tokens?.refreshToken) ?? this.#grantOf(record.tokens?.accessToken);
    const grant = stored ?? this.#oneOf(signingIn, record);
    if (begins) this.epochs.set(record.epoch, { page: author, signedInAt: record.signedInAt, grant, guessed: stored === undefined });
    this.#sameGrant(page, record);
    if (!record.refreshing && (before?.epoch !== record.epoch || this.#mark?.page === page || this.#mark?.page === author))
      this.#mark = undefined;
    const { timeout = 0, late = false } = record.refreshing ?? {};
    if (this.#mark && late && !before?.refreshing?.late) this.#mark.timeout = now - this.#mark.since + timeout;
    // A lease that began in memory may come to storage with the fence that is there already.
    if (record.refreshing && (!before?.refreshing || record.fence !== before.fence || record.epoch !== before.epoch)) {
      this.#mark = { page: holder, since: now, timeout, takesOver: before?.refreshing !== undefined, last: undefined };
      this.#latest.set(holder, this.#mark);
    }
    return begins ? grant : undefined;
  }

  /** The first of them, unless a message has told otherwise: one after another may have been kept in memory until storage answered. */
  #oneOf(signingIn: readonly Grant[], { epoch }: LedgerRecord): Grant | undefined {
    const told = this.#told.get(epoch);
    return told && signingIn.includes(told) ? told : signingIn[0];
  }

  #neverBack(page: Page, before: LedgerRecord, record: LedgerRecord): void {
    const order = ["epoch", "version", "fence"] as const;
    const differs = order.find((part) => record[part] !== before[part]);
    if (record.version < before.version) this.violate("P3", `${page.name} stored version ${record.version} over ${before.version}`);
    else if (differs && record[differs] < before[differs]) this.violate("P3", `${page.name} stored an older ${differs}`);
    if (record.signedIn && this.#ended.has(record.epoch)) this.violate("P3", `${page.name} stored a session that had ended`);
  }

  #sameGrant(page: Page, record: LedgerRecord): void {
    const stored = this.#grantOf(record.tokens?.refreshToken);
    const known = this.epochs.get(record.epoch)?.grant;
    if (!stored || !known || stored === known) return;
    this.violate("P3", `${page.name} stored tokens of grant ${stored.id} in the session of grant ${known.id}`);
  }

  /** A refresh leaves a tab. */
  sending(exchange: Exchange): void {
    const { page, token } = exchange;
    const now = this.#now();
    const mark = this.#mark;
    if (this.#plan.store) {
      const stands = mark && mark.page !== page && now < mark.since + mark.timeout;
      const excused = mark && now - mark.since < this.#plan.reuseGrace;
      // A tab that has not heard yet of a sign-in renews the session before it.
      const [sent, marked] = [this.#grantOf(token), this.epochs.get(this.stored?.epoch ?? 0)?.grant];
      const sameSession = !sent || !marked || sent === marked;
      // A clock that was set back hides from a worker that its page is too late. The worker sends once for all pages.
      const isHidden = exchange.worker && this.#plan.kinds.has("clock-jump");
      if (stands && !excused && !isHidden && sameSession)
        this.violate("P1", `${page.name} sends while the mark of ${mark.page.name} stands`);
    }
    if (this.#superseded.has(token)) this.violateIfPromised("P2", `${page.name} sends ${token} after its successor was stored`);
    if (mark?.page === page) mark.last = exchange;
    // The holder says which session it is, where neither storage nor a message does.
    const session = this.epochs.get(this.stored?.epoch ?? 0);
    const grant = this.#grantOf(token);
    if (session?.guessed && mark?.page === page && grant) session.grant = grant;
    this.#deadlines.set(exchange, (mark?.page === page ? mark.since : now) + patience({ ...this.#plan, ...this.times.get(page) }));
    const uses = this.#uses.get(token) ?? [];
    uses.push(exchange);
    this.#uses.set(token, uses);
  }

  /** The server saw a used refresh token: somebody must have had no way to know. */
  reused(second: Exchange): void {
    // The one that was sent first may have been the later one to arrive.
    const uses = this.#uses.get(second.token) ?? [];
    const used = uses.find(({ rotated }) => rotated);
    const first = uses.find((use) => use === used || use === second);
    const cause = first && (first.worker && uses.every(({ worker }) => worker) ? causeIn(first) : this.#excuse(first));
    if (cause) this.#admit(cause);
    else if (first && this.judges?.couldKnow(first, second))
      this.violate("R88", `${second.page.name} presented ${second.token} and could have known that it was used`);
    else if (first && this.judges && !this.judges.couldStore(first)) this.#admit("storage did not take the answer");
    else this.violateIfPromised("reuse", `${second.page.name} presented ${second.token}, and the one who used it had its answer in time`);
  }

  #admit(cause: ReuseCause): void {
    this.reuses.set(cause, (this.reuses.get(cause) ?? 0) + 1);
  }

  #excuse(exchange: Exchange): ReuseCause | undefined {
    const { page, worker, sentAt, interruptions } = exchange;
    const deliveredAt = worker ? worker.toldAt : exchange.deliveredAt;
    if (page.tab.dead) return "holder died";
    if (page.interruptions !== interruptions) return "holder stood still";
    if (deliveredAt === undefined) return "answer lost";
    const deadline = this.#deadlines.get(exchange) ?? sentAt + this.#plan.refreshTimeout;
    return deliveredAt > deadline - (worker ? TOO_LATE_BY_MESSAGE : TOO_LATE) ? "answer too late" : undefined;
  }

  posted(page: Page, message: unknown): void {
    const { record } = message as { record?: LedgerRecord };
    const grant = this.#grantOf(record?.tokens?.accessToken);
    if (record && grant) {
      this.#told.set(record.epoch, grant);
      const known = this.epochs.get(record.epoch);
      if (known?.guessed) known.grant = grant;
    }
    if (record?.tokens?.refreshToken) this.violate("secret", `${page.name} put a refresh token on the channel`);
  }
}
