import type { LedgerRecord } from "../../../src/ledger/record.js";
import type { Environment } from "../../../src/types/environment.js";
import type { App } from "../app.js";
import type { Exchange } from "../platform/network.js";
import type { Page } from "../platform/page.js";
import type { Fault, FaultParts, Opened } from "./fault.js";
import type { OnUse } from "./gate.js";
import { watchMessages } from "./messages.js";

/** Storage has to answer one of the uses within so many milliseconds in which its page is awake. */
const NOTICED = 5_000;
/** Timers come late, and later after standing still. */
const TOLERANCE = 1_000;
const AFTER_STANDING_STILL = 1_500;
const LONGEST = 60_000;

interface Use {
  readonly page: Page;
  /** When it began, or when the session had its last answer. */
  since: number;
  interruptions: number;
  /** The session has told of it, or is not yet in use. */
  told: boolean;
}

interface Heard {
  readonly from: Page;
  readonly postedAt: number;
  readonly heardAt: number;
}

/**
 * Storage that answered stops doing so, in one tab or in all, and answers again (R88, R89). A session that has stepped down keeps P4 and P5.
 * Of reuse, the observer admits only what the sender could not know: it had not heard a message from after the answer to the first use, and
 * the first use was not its own.
 */
export class StorageHangs implements Fault {
  readonly #parts: FaultParts;
  readonly #uses = new Map<string, Set<Use>>();
  /** In which hang of its page each session has warned. */
  readonly #warned = new Map<string, number>();
  /** The sessions that have told of a silence of storage, and have not had all answers since. */
  readonly #silent = new Set<string>();
  /** The sessions that have had an answer since they told of a silence. */
  readonly #reached = new Set<string>();
  readonly #posted = new WeakMap<LedgerRecord, { from: Page; postedAt: number }>();
  readonly #heard = new Map<Page, Heard[]>();

  constructor(parts: FaultParts) {
    this.#parts = parts;
    parts.browser.observer.judges = {
      couldKnow: (first, second) => this.#couldKnow(first, second),
      couldStore: ({ page }) => !parts.gateOf(page).hangs,
    };
  }

  happen(page: Page): boolean {
    const { browser, dice, gateOf } = this.#parts;
    if (!page.runs || !dice.bool(0.4)) return false;
    const pages = dice.bool(0.3) ? browser.living() : [page];
    const ending = dice.weighted([
      ["answers-late", 2],
      ["stays-silent", 1],
      ["until-reopened", 1],
    ] as const);
    const milliseconds = dice.skewed(500, LONGEST);
    const struck = pages.filter((one) => !gateOf(one).hangs);
    for (const one of struck) {
      browser.log(one.name, `has storage that hangs for ${milliseconds} ms (${ending})`);
      gateOf(one).hang(ending, milliseconds);
    }
    return struck.length > 0;
  }

  onUse({ page, name }: Opened): OnUse {
    return () => {
      const session = name();
      const app = this.#parts.browser.apps.find(({ id }) => id === session);
      // The opening is R87's; a session that has stepped down looks whether storage is back.
      const known = this.#silent.has(session) || this.#parts.browser.observer.isAlone(session);
      const told = app?.session.getSnapshot().status !== "signed-in" || known;
      const use: Use = { page, since: page.running(), interruptions: page.interruptions, told };
      const uses = this.#uses.get(session) ?? new Set();
      this.#uses.set(session, uses.add(use));
      return () => {
        uses.delete(use);
        if (uses.size === 0) this.#silent.delete(session);
        this.#reached.add(session);
        this.#check(use, "answered after");
        for (const other of uses) Object.assign(other, { since: page.running(), interruptions: page.interruptions });
      };
    };
  }

  opens({ page, name }: Opened, environment: Environment): void {
    const { report } = environment;
    const { observer } = this.#parts.browser;
    const gate = this.#parts.gateOf(page);
    environment.report = (message, error) => {
      report(message, error);
      if (!message.includes("storage does not answer")) return;
      if (gate.hangs && this.#warned.get(name()) === gate.count) observer.violate("R88", `${page.name} warns twice of one hang`);
      if (gate.hangs) this.#warned.set(name(), gate.count);
      this.#silent.add(name());
      this.#reached.delete(name());
      for (const use of this.#uses.get(name()) ?? []) {
        this.#check(use, "told of after");
        use.told = true;
      }
    };
    watchMessages(environment, {
      posted: (record) => this.#posted.set(record, { from: page, postedAt: this.#now() }),
      heard: (record, deliver) => {
        const posted = this.#posted.get(record);
        const settled = record.signedIn && !record.refreshing && !record.failure;
        if (posted && settled) this.#heard.set(page, [...(this.#heard.get(page) ?? []), { ...posted, heardAt: this.#now() }]);
        this.#hear(page, name(), record, deliver);
      },
    });
  }

  /** R89: an end that a message tells holds by the next task of the page. */
  #hear(page: Page, session: string, record: LedgerRecord, deliver: () => void): void {
    const { browser, gateOf } = this.#parts;
    const { authority, observer } = browser;
    const app = browser.apps.find(({ id }) => id === session);
    const grant = app && authority.grantOf(app.session.peekToken());
    const [epoch, begun] = [...observer.epochs].find(([, begun]) => begun.grant === grant) ?? [];
    deliver();
    if (!app || !grant || epoch === undefined || record.signedIn !== false || !(record.epoch > epoch) || !gateOf(page).hangs) return;
    // Only a user ends a later session than the one that the message tells of.
    if (record.reason !== "user" && begun && begun.signedInAt > record.signedInAt) return;
    page.tab.post("message", 0, () => {
      if (authority.grantOf(app.session.peekToken()) === grant)
        observer.violate("R89", `${page.name} is still signed in after it heard of a sign-out`);
    });
  }

  started(app: App): void {
    const { browser, plan, gateOf } = this.#parts;
    const { authority, observer } = browser;
    let grant = authority.grantOf(undefined);
    app.session.subscribe(() => {
      grant = authority.grantOf(app.session.peekToken()) ?? grant;
    });
    app.session.on("signed-out", ({ reason }) => {
      if (!gateOf(app.page).hangs || app.page.tab.dead) return;
      // Without storage, a tab lives on what the others tell it. If no message comes in time, it says "owner-closed" until one comes.
      // And a session whose refresh token is not stored ends with its tab. A tab whose storage hangs does not hear that it is stored by now.
      const wasOrphan = [...observer.epochs.values()].some((begun) => begun.grant === grant && begun.wasOrphan);
      const alone = reason === "owner-closed" && (observer.isAlone(app.id) || wasOrphan);
      const lost = ["expired", "owner-closed"].includes(reason) && !alone;
      // It serves a session that it cannot renew.
      if (browser.features.writesNothing(app.page)) return;
      const good = lost && grant && !grant.revoked && !grant.signedOut && plan.mode !== "memory";
      if (good || reason.startsWith("storage-"))
        observer.violate("R88", `${app.page.name} says signed-out (${reason}) while its storage hangs`);
    });
  }

  finish(): void {
    const { apps, observer } = this.#parts.browser;
    for (const [, uses] of this.#uses) for (const use of uses) this.#check(use, "not answered after");
    // A hidden page, whose timers come late, counts no time in which it is awake.
    for (const { page, id } of apps)
      if (!page.tab.dead && !page.throttled && observer.isAlone(id) && !this.#reached.has(id))
        observer.violate("R88", `${page.name} still lives without storage`);
  }

  #check({ page, since, interruptions, told }: Use, how: string): void {
    if (told || page.tab.dead) return;
    const taken = page.running() - since;
    const limit = NOTICED + TOLERANCE + (page.interruptions > interruptions ? AFTER_STANDING_STILL : 0);
    if (taken > limit) this.#parts.browser.observer.violate("R88", `${page.name} used storage, which was ${how} ${taken} ms`);
  }

  #couldKnow(first: Exchange, second: Exchange): boolean {
    const { deliveredAt } = first;
    if (deliveredAt === undefined) return false;
    if (first.page === second.page) return this.#parts.browser.appsOf(first.page).length === 1;
    const heard = this.#heard.get(second.page) ?? [];
    return heard.some(({ from, postedAt, heardAt }) => from === first.page && postedAt >= deliveredAt && heardAt < second.sentAt);
  }

  #now(): number {
    return this.#parts.browser.clock.monotonic();
  }
}
