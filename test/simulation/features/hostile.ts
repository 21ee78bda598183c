import { latestInstant } from "../../../src/ledger/order.js";
import type { LedgerRecord } from "../../../src/ledger/record.js";
import type { App } from "../app.js";
import type { Browser } from "../browser.js";
import type { Dice, Kind, Plan } from "../plan.js";
import type { Exchange } from "../platform/network.js";
import { type Feature, isExact, type Write } from "./feature.js";

type Members = Record<string, unknown>;

/** Who signs what no session has written. */
const NOBODY = "forged";
/** A minute ahead at most, and what a clock may be late. */
const AHEAD = 62_000;
/** What no message may take a clock back by; a message that is late by less says nothing. */
const BEHIND = 15_000;
const STANDSTILLS: readonly Kind[] = [
  ...(["freeze", "freeze-told", "back-forward-cache", "block", "device-sleep", "hide", "slow-messages", "storage-hangs"] as const),
];
const DAY = 86_400_000;
/** A tab that believes an end keeps its author and its reason (R93). */
const toldBy = ({ by, reason = "user" }: { by?: unknown; reason?: unknown }): string => `${by} ${reason}`;

/**
 * A script of the origin that posts messages of its own: copies of real ones, with members altered. The tabs share storage, so nothing that is
 * stored changes by a message alone, but for an end of the session (R93).
 */
class Hostile implements Feature {
  readonly likelihood = 0.12;
  readonly #browser: Browser;
  readonly #dice: Dice;
  readonly #exact: boolean;
  /** No tab stands still: what it says late may take clocks back. */
  readonly #punctual: boolean;
  /** Says that a session has ended. */
  readonly #forgesEnds: boolean;
  /** Says again, with another version, what is stored. */
  readonly #replays: boolean;
  /** A tab whose storage hangs lives on messages, and cannot tell those of this script from the others. */
  readonly #isBelieved: boolean;
  readonly #forged = new Set<unknown>();
  readonly #ends = new Set<number>();
  /** An end of which a tab makes its own record keeps the reason. */
  readonly #reasons = new Set<unknown>();
  /** The author and the reason of each forged end. */
  readonly #told = new Set<string>();
  #count = 0;

  constructor(browser: Browser, plan: Plan, dice: Dice) {
    this.#browser = browser;
    this.#dice = dice;
    this.#exact = isExact(plan);
    this.#punctual = this.#exact && !STANDSTILLS.some((kind) => plan.kinds.has(kind));
    this.#forgesEnds = plan.features.has("forged-ends");
    this.#replays = plan.features.has("replays");
    this.#isBelieved = plan.kinds.has("storage-hangs");
  }

  happen({ page }: App): void {
    if (this.#isBelieved) return;
    const { world, log } = this.#browser;
    const { posted } = world.channels;
    const real = posted.slice(-30).filter(({ name, message }) => !name.endsWith(":activity") && !this.#forged.has(message));
    if (real.length === 0) return;
    const { name, message } = this.#dice.pick(real);
    const { record } = message as { record?: LedgerRecord };
    const forged = record ? { ...(message as Members), ...this.#changed(record) } : { ...(message as Members), ...this.#ask() };
    log(page.name, `has a script that posts ${JSON.stringify(forged)}`);
    const channel = world.channels.open(page.tab, name);
    this.#forged.add(forged);
    channel.postMessage(forged);
    channel.close();
  }

  #changed(record: LedgerRecord): Members {
    const dice = this.#dice;
    let altered: Members = { ...record };
    for (let left = dice.whole(1, 3); left > 0; left -= 1) altered = { ...altered, ...this.#alteration(record) };
    // Nobody can tell a message of a tab that says it has no storage from one of this script.
    const shared = dice.pick<unknown>([true, true, true, true, undefined, "no"]);
    if (!this.#forgesEnds && altered.signedIn === false) altered = { ...record };
    if (!this.#replays && altered.by === record.by && altered.committedAt === record.committedAt)
      altered = { ...altered, version: record.version };
    if (altered.signedIn === false && typeof altered.epoch === "number") {
      this.#ends.add(altered.epoch);
      this.#reasons.add(altered.reason ?? "user");
      this.#told.add(toldBy(altered));
    }
    return { shared, record: dice.bool(0.03) ? dice.pick([null, "x", []]) : altered };
  }

  #alteration(record: LedgerRecord): Members {
    const dice = this.#dice;
    const now = this.#browser.clock.now();
    const more = () => dice.pick([1, 1, 2, 1_000, 1e12]);
    const token = () => `${NOBODY}.${++this.#count}`;
    return dice.weighted<() => Members>([
      [() => ({ version: record.version + more() }), 5],
      [() => ({ version: record.version + more(), by: NOBODY, committedAt: now + dice.pick([0, 1, DAY]) }), 4],
      [() => ({ epoch: record.epoch + more() }), 2],
      [() => ({ fence: record.fence + more() }), 3],
      [
        () => ({ signedIn: false, version: record.version + more(), reason: dice.pick(["user", "idle", undefined, "no reason"]) }),
        this.#forgesEnds ? 3 : 0,
      ],
      [() => ({ signedIn: true }), 1],
      [() => ({ committedAt: now + dice.pick([DAY, 1e12, -DAY]) }), 3],
      [() => ({ refreshing: { tab: NOBODY, since: now + dice.pick([0, DAY]), timeout: 1e9 }, fence: record.fence + 1 }), 3],
      [() => ({ failure: { code: "server", attempt: 9, at: now + dice.pick([0, DAY]), retryAt: now + 1e12 } }), 2],
      [() => ({ quietUntil: now + 1e12 }), 1],
      [() => ({ tokens: { accessToken: token() } }), 4],
      [() => ({ tokens: { accessToken: token(), refreshToken: token() } }), 2],
      [() => ({ tokens: { refreshToken: token() }, version: record.version + 1 }), 1],
      [() => ({ dueAt: dice.pick([0, null]), expiresAt: dice.pick([0, null, now + DAY]) }), 2],
      [() => ({ final: true, renewedBy: undefined }), 2],
      [() => ({ lastActivityAt: now + DAY, signedInAt: dice.pick([0, now + DAY]), endsAt: now }), 2],
      [() => ({ uncured: { "": { count: 9, at: now + dice.pick([0, DAY]), asked: record.committedAt, judged: now } } }), 2],
      [() => ({ [dice.pick(Object.keys(record))]: dice.pick<unknown>(["x", null, {}, [], Number.NaN, -1, true]) }), 5],
    ])();
  }

  #ask(): Members {
    const dice = this.#dice;
    return {
      version: dice.pick<unknown>([0, 1e15, Number.NaN, "x", null, -1]),
      shared: dice.pick<unknown>([true, false, undefined, "no"]),
      audience: dice.pick<unknown>([undefined, undefined, "nobody", {}, null]),
    };
  }

  wrote({ page, before, record }: Write): void {
    const { observer } = this.#browser;
    const says = (what: string) => observer.violate("hostile", `${page.name} stored ${what} of a message`);
    if (record.tokens && JSON.stringify(record.tokens).includes(NOBODY)) says("a token");
    if (record.refreshing?.tab === NOBODY) says("the lease");
    // An end is believed, whatever else that message says.
    if (this.#ends.has(record.epoch) && !record.signedIn) return;
    // An end keeps the author that the message names.
    if (record.by === NOBODY && record.signedIn) says("the commit");
    // A sign-in may end the session before it in the same transaction.
    if (before && record.version > before.version + 1 && record.epoch === before.epoch) says("the version");
    if (before && record.fence > before.fence + 1) says("the fence");
    const late = this.#browser.clock.now() - record.committedAt;
    if (this.#punctual && record.signedIn && before && record.version > before.version && late > BEHIND)
      observer.violate("hostile", `${page.name} has a clock that is ${late} ms behind`);
    const ahead = latestInstant(record) - this.#browser.clock.now();
    if (this.#exact && ahead > AHEAD && latestInstant(record) > (before ? latestInstant(before) : 0))
      observer.violate("hostile", `${page.name} has a clock that is ${ahead} ms ahead`);
  }

  sending({ page, token }: Exchange): void {
    if (token.startsWith(NOBODY)) this.#browser.observer.violate("hostile", `${page.name} sends a refresh token of a message`);
  }

  explainsEnd({ epoch, reason }: LedgerRecord): boolean {
    return this.#ends.has(epoch) || this.#reasons.has(reason);
  }

  isForged(record: LedgerRecord): boolean {
    return !record.signedIn && this.#told.has(toldBy(record));
  }

  mayComeBack(): boolean {
    return this.#ends.size > 0;
  }
}

export const hostile = (browser: Browser, plan: Plan, dice: Dice): Feature => new Hostile(browser, plan, dice);
