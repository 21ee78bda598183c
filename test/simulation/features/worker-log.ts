import type { Tab } from "../../../src/testing/tab.js";
import type { Message, Answer as Told } from "../../../src/vault/protocol.js";
import type { Browser } from "../browser.js";
import type { Exchange, Worker } from "../platform/network.js";
import type { Page } from "../platform/page.js";
import { hasServerToken } from "../platform/worker.js";
import type { Grant } from "../server.js";

type Renewal = Extract<Message, { kind: "refresh" }>;

/** What a page has asked for, until it is answered. */
interface Asked {
  readonly page: Page;
  readonly worker: Tab;
  readonly message: Message;
  /** What it sent. */
  sent?: Exchange;
  sentAtWall?: number;
  sender?: Worker;
}

/** The last answer that a worker has for a grant. */
interface Known {
  readonly resource: string;
  readonly serial: number;
  readonly sentAt: number;
  readonly sentAtWall: number;
  readonly expiresIn: number;
}

/** A timer that is later than that says that the worker stood still. */
const LATE = 250;
/** An answer that waits is read within so many milliseconds after a deadline that came late. */
const READ_WITHIN = 300;
/** Milliseconds for which an answer serves older handles, and what a message may take of that. */
const SERVES = 59_000;
/** The timers of a worker come a few milliseconds late. */
const TOLERANCE = 5;

const partsOf = (handle: string): { id: string; serial: number } => {
  const [id = "", serial] = handle.slice(handle.indexOf(":") + 1).split(".");
  return { id, serial: Number(serial) };
};
const resourceOf = ({ parameters }: Renewal): string => parameters?.resource ?? "";

/** What the workers have been told and asked, and have sent and answered; and what they must not do then. */
export class WorkerLog {
  readonly #browser: Browser;
  /** Whether the wall clock and the device agree on how old an answer is. */
  readonly #exact: boolean;
  /** The grants of the handles that living workers know. */
  readonly #handles = new Map<string, { readonly grant: Grant; readonly worker: Tab }>();
  /** Those of all handles. */
  readonly #grants = new Map<string, Grant>();
  readonly #asked = new Set<Asked>();
  readonly #known = new Map<string, Known>();
  /** How each token was presented so far. */
  readonly #sent = new Map<string, Exchange[]>();
  /** When each worker stood still. */
  readonly #standstills = new Map<Tab, { readonly from: number; readonly until: number }[]>();
  /** How many workers have ended. */
  ended = 0;

  constructor(browser: Browser, exact: boolean) {
    this.#browser = browser;
    this.#exact = exact;
  }

  grantOf = (handle: string): Grant | undefined => this.#grants.get(partsOf(handle).id);

  /** Whether a living worker has what this handle stands for. */
  knows = (handle: string): boolean => this.#handles.has(partsOf(handle).id);

  keeps = (grant: Grant): boolean => [...this.#handles.values()].some((kept) => kept.grant === grant);

  /** Whether a request is under way. */
  get isBusy(): boolean {
    return [...this.#asked].some(({ sent }) => sent);
  }

  end(worker: Tab): void {
    this.ended += 1;
    for (const [id, kept] of this.#handles) if (kept.worker === worker) this.#handles.delete(id);
    for (const asked of this.#asked) if (asked.worker === worker) this.#asked.delete(asked);
  }

  standsStill(worker: Tab, until: number): void {
    const from = this.#browser.clock.monotonic();
    this.#standstills.set(worker, [...(this.#standstills.get(worker) ?? []), { from, until }]);
  }

  /** A message has come to a worker. Returns what hears of the answer. */
  hears(page: Page, worker: Tab, message: Message): (told: Told) => void {
    const { log, clock, authority } = this.#browser;
    const asked: Asked = { page, worker, message };
    this.#asked.add(asked);
    log(worker.name, `hears ${message.kind} of ${page.name}${"handle" in message ? ` (${message.handle})` : ""}`);
    if (message.kind === "revoke") this.#handles.delete(partsOf(message.handle).id);
    return (told) => {
      this.#asked.delete(asked);
      log(worker.name, `answers ${page.name}: ${"failed" in told ? told.failed.code : message.kind}`);
      if (hasServerToken(told)) this.#broken(`${worker.name} answers with a refresh token of the server`);
      if ("handle" in told && message.kind === "take") this.#keep(told.handle, authority.grantOf(message.refreshToken), worker);
      if (!("tokens" in told)) return;
      if (asked.sender) asked.sender.toldAt = clock.monotonic();
      const { accessToken, refreshToken = "", expiresIn = Number.POSITIVE_INFINITY } = told.tokens;
      this.#keep(refreshToken, authority.grantOf(accessToken), worker);
      if (message.kind !== "refresh" || !asked.sent) return;
      const { sentAt } = asked.sent;
      const { sentAtWall = 0 } = asked;
      const { id, serial } = partsOf(refreshToken);
      this.#known.set(id, { resource: resourceOf(message), serial, sentAt, sentAtWall, expiresIn });
    };
  }

  #keep(handle: string, grant: Grant | undefined, worker: Tab): void {
    const { id } = partsOf(handle);
    if (!grant) return;
    this.#grants.set(id, grant);
    if (!worker.dead) this.#handles.set(id, { grant, worker });
  }

  /** Who asked for the renewal that a worker is about to send: the first one that waits for it, and is not too late. */
  askerOf(worker: Tab, token: string, resource: string): { page: Page; sender: Worker } | undefined {
    const { authority, clock } = this.#browser;
    const grant = authority.grantOf(token);
    const isIt = ({ worker: own, message, sent }: Asked) =>
      own === worker &&
      !sent &&
      message.kind === "refresh" &&
      message.until >= clock.now() &&
      resourceOf(message) === resource &&
      this.grantOf(message.handle) === grant;
    const asked = [...this.#asked].find(isIt);
    if (!asked) return undefined;
    this.#judgeAnswer(asked.message as Renewal, worker);
    asked.sender = { loop: worker, patience: (asked.message as Renewal).patience };
    return { page: asked.page, sender: asked.sender };
  }

  /** A worker that has the answer sends nothing. */
  #judgeAnswer(message: Renewal, worker: Tab): void {
    const { clock } = this.#browser;
    const { id, serial } = partsOf(message.handle);
    const known = this.#known.get(id);
    if (!this.#exact || !known || serial >= known.serial || known.resource !== resourceOf(message)) return;
    const age = Math.max(clock.monotonic() - known.sentAt, clock.worldNow() - known.sentAtWall);
    if (age < SERVES && age < known.expiresIn * 1_000 - 1_000)
      this.#broken(`${worker.name} sends for ${message.handle}, and has the answer`);
  }

  /** A refresh token is presented once more only when its answer was lost, or did not come while the worker was to wait. */
  sending(exchange: Exchange): void {
    const { token, worker } = exchange;
    if (!worker) return;
    const sentAtWall = this.#browser.clock.worldNow();
    for (const asked of this.#asked) if (asked.sender === worker) Object.assign(asked, { sent: exchange, sentAtWall });
    const former = this.#sent.get(token) ?? [];
    for (const first of former) this.#judge(first, token);
    this.#sent.set(token, [...former, exchange]);
  }

  #judge(first: Exchange, token: string): void {
    const worker = first.worker as Worker;
    const { answeredAt, deliveredAt, abortedAt, arrivedAt, sentAt } = first;
    const says = (why: string) => this.#broken(`${worker.loop.name} presents ${token} once more, and ${why}`);
    if (worker.loop.dead) return;
    if (deliveredAt !== undefined) return says("has had the answer");
    if (abortedAt === undefined) return answeredAt === undefined ? says("the first request is under way") : undefined;
    if (abortedAt - sentAt < worker.patience - TOLERANCE) return says(`waited for ${abortedAt - sentAt} ms of ${worker.patience}`);
    const standstills = (this.#standstills.get(worker.loop) ?? []).filter(({ from, until }) => until >= sentAt && from <= abortedAt);
    const isLate = standstills.every(({ until }) => until - sentAt - worker.patience > LATE);
    if (arrivedAt !== undefined && arrivedAt < abortedAt - READ_WITHIN && standstills.length <= 1 && isLate)
      says("has not read the answer that waits");
  }

  #broken(what: string): void {
    this.#browser.observer.violate("vault", what);
  }
}
