import type { Clock } from "../../../src/testing/clock.js";
import type { Tab } from "../../../src/testing/tab.js";
import type { Features } from "../features/index.js";
import type { Dice, NetworkKind } from "../plan.js";
import type { Authority, Issued } from "../server.js";
import type { Page } from "./page.js";

export const TOKEN_URL = "https://auth.example.test/token";
export const API_URL = "https://api.example.test/me";
/** The response header with a later token. */
export const HEADER = "x-later-token";

/** Which audience an address is of; empty for the API itself. */
const audienceOf = (url: string): string => (url.startsWith(new URL(API_URL).origin) ? "" : new URL(url).origin);

/** One request to the token endpoint, as the world saw it. */
export interface Exchange {
  readonly number: number;
  /** Whose lease it is. */
  readonly page: Page;
  /** What sends it for the page, if the page does not. */
  readonly worker: Worker | undefined;
  readonly token: string;
  /** Of the access token that is asked for; empty for the session's own. */
  readonly audience: string;
  readonly cause: string;
  /** That its sender has the key of the token (RFC 9449). */
  readonly proof: string | undefined;
  readonly sentAt: number;
  /** How often its page had stood still by then. */
  readonly interruptions: number;
  rotated: boolean;
  /** When the answer has come to the device. */
  arrivedAt: number | undefined;
  /** When a task of the sender got the tokens. */
  deliveredAt: number | undefined;
  /** When a task of the sender got the answer, whatever that was, or heard that there is none. */
  answeredAt: number | undefined;
  abortedAt: number | undefined;
}

/** A worker that sends what a page has asked for. */
export interface Worker {
  readonly loop: Tab;
  /** Milliseconds for which it waits for an answer. */
  readonly patience: number;
  /** When it told the page of the tokens. */
  toldAt?: number;
}

/** What a request says. */
interface Said extends Pick<Exchange, "page" | "worker" | "token" | "audience" | "cause" | "proof"> {
  readonly signal: RequestInit["signal"];
}

export interface Answer {
  readonly status: number;
  readonly tokens?: Issued;
  /** Milliseconds. */
  readonly retryAfter?: number;
  /** What is wrong, in the words of OAuth. */
  readonly error?: string;
  readonly nonce?: string | undefined;
}

/** A header of a request, however it is written. */
export const headerIn = (headers: HeadersInit | undefined, name: string): string | undefined =>
  headers instanceof Headers ? (headers.get(name) ?? undefined) : (headers as Record<string, string> | undefined)?.[name];

/** The access token in a header, by whatever scheme. */
export const tokenIn = (authorization: string | undefined): string | undefined => authorization?.replace(/^(Bearer|DPoP) /, "");

/** As much of a response as is read of it. */
const responseOf = (answer: Answer): Response =>
  ({
    ...answer,
    headers: { get: (name: string) => (name === "dpop-nonce" ? (answer.nonce ?? null) : null) },
    clone: () => ({ json: async () => ({ error: answer.error }) }),
  }) as unknown as Response;

export interface Witness {
  sending(exchange: Exchange): void;
  /** The server has done its work; `next` is what it gave out. */
  processed(exchange: Exchange, outcome: string, next: Issued | undefined): void;
  answered(exchange: Exchange, what: string): void;
  readonly features: Features;
}

/** The way to the servers. What has been sent arrives, whatever becomes of its tab. */
export class Network {
  offline = false;
  /** The cookie jar of the browser: what cookie mode presents. */
  jar = "";
  exchanges = 0;
  readonly offlinePages = new Set<Page>();
  readonly #clock: Clock;
  readonly #dice: Dice;
  readonly #authority: Authority;
  readonly #cookies: boolean;
  readonly #witness: Witness;
  readonly #fault: () => NetworkKind | undefined;

  constructor(clock: Clock, dice: Dice, authority: Authority, cookies: boolean, witness: Witness, fault: () => NetworkKind | undefined) {
    this.#clock = clock;
    this.#dice = dice;
    this.#authority = authority;
    this.#cookies = cookies;
    this.#witness = witness;
    this.#fault = fault;
  }

  fetchFor(page: Page): typeof globalThis.fetch {
    return (input, init) => (input === TOKEN_URL ? this.#refresh(page, init ?? {}) : this.#call(page, String(input), init ?? {}));
  }

  #cut(page: Page): boolean {
    return this.offline || this.offlinePages.has(page);
  }

  #refresh(page: Page, { body, headers, signal }: RequestInit): Promise<Response> {
    const token = this.#cookies ? this.jar : String(body);
    const told = (name: string) => headerIn(headers, name);
    const said = { page, worker: undefined, token, audience: told("audience") ?? "", cause: told("cause") ?? "", proof: told("dpop") };
    return this.exchange({ ...said, signal }, responseOf);
  }

  /** Sends a refresh token to the token endpoint. `read`: makes the response of an answer. */
  exchange({ signal, ...said }: Said, read: (answer: Answer) => Response): Promise<Response> {
    const { page, worker } = said;
    const tab = worker?.loop ?? page.tab;
    const isCut = () => (worker ? this.offline : this.#cut(page));
    return new Promise((resolve, reject) => {
      if (tab.dead) return;
      this.exchanges += 1;
      const exchange: Exchange = {
        number: this.exchanges,
        ...said,
        sentAt: this.#clock.monotonic(),
        interruptions: page.interruptions,
        rotated: false,
        arrivedAt: undefined,
        deliveredAt: undefined,
        answeredAt: undefined,
        abortedAt: undefined,
      };
      this.#witness.sending(exchange);
      signal?.addEventListener("abort", () => {
        exchange.abortedAt = this.#clock.monotonic();
        reject(signal.reason);
      });
      const broken = (why: string) =>
        tab.post("network", 0, () => {
          if (worker) exchange.answeredAt = this.#clock.monotonic();
          this.#witness.answered(exchange, why);
          reject(new TypeError("Failed to fetch"));
        });
      if (isCut()) {
        broken("is offline");
        return;
      }
      const fault = this.#fault();
      const slow = (kind: NetworkKind) => (fault === kind ? this.#dice.whole(1_000, 15_000) : 0);
      const way = () => this.#dice.skewed(10, 400);
      this.#elsewhere(way() + slow("slow-request"), () => {
        const { answer: said, kept } = this.#process(exchange, fault);
        const answer = { ...said, nonce: said.nonce ?? this.#witness.features.nonce(TOKEN_URL) };
        this.#elsewhere(way() + slow("slow-answer"), () => {
          if (fault === "request-silent" || fault === "answer-silent") return;
          if (fault === "request-lost" || fault === "answer-lost") return void broken("gets no answer: the connection broke");
          if (isCut()) return void broken("is offline when the answer comes");
          if (kept && this.#authority.succeeds(kept, this.jar)) this.jar = kept;
          exchange.arrivedAt = this.#clock.monotonic();
          tab.post("network", 0, () => {
            // A worker has no use for an answer that it has given up.
            if (worker && exchange.abortedAt !== undefined) return;
            exchange.answeredAt = this.#clock.monotonic();
            if (answer.tokens) exchange.deliveredAt = exchange.answeredAt;
            this.#witness.answered(exchange, `is answered ${answer.status}`);
            resolve(read(answer));
          });
        });
      });
    });
  }

  #process(exchange: Exchange, fault: NetworkKind | undefined): { answer: Answer; kept?: string } {
    const without = (status: number, retryAfter?: number): { answer: Answer } => {
      this.#witness.processed(exchange, `not processed: ${fault}`, undefined);
      return { answer: { status, ...(retryAfter === undefined ? {} : { retryAfter }) } };
    };
    if (fault === "request-lost" || fault === "request-silent") return without(0);
    if (fault === "server-error") return without(this.#dice.pick([500, 502, 503]));
    if (fault === "throttled") return without(429, this.#dice.whole(1, 15) * 1_000);
    const instead = this.#witness.features.instead(exchange);
    if (instead) return { answer: instead };
    const verdict = this.#authority.refresh(exchange.token, exchange.audience);
    const tokens = "tokens" in verdict ? verdict.tokens : undefined;
    exchange.rotated = verdict.outcome === "refreshed";
    this.#witness.processed(exchange, fault ? `${verdict.outcome}, ${fault}` : verdict.outcome, tokens);
    if (fault === "gateway") return { answer: { status: 504 } };
    return tokens ? { answer: { status: 200, tokens }, kept: tokens.refreshToken } : { answer: { status: 400 } };
  }

  /** Servers and cables: no code of a page runs there. */
  #elsewhere(delay: number, run: () => void): void {
    this.#clock.world.add(delay, run, true);
  }

  /** A call to the API. */
  #call(page: Page, url: string, { headers }: RequestInit): Promise<Response> {
    const bearer = tokenIn(headerIn(headers, "authorization"));
    const proof = headerIn(headers, "dpop");
    return new Promise((resolve, reject) => {
      const way = () => this.#dice.skewed(10, 300);
      this.#elsewhere(way(), () => {
        const usual = bearer && this.#authority.accepts(bearer, audienceOf(url)) ? 200 : 401;
        const { status = usual, header, challenge, nonce, later = 0 } = this.#witness.features.api(page, url, bearer, proof);
        const said: Record<string, string | undefined> = {
          [HEADER]: header,
          "www-authenticate": challenge,
          "dpop-nonce": nonce ?? this.#witness.features.nonce(url),
        };
        const get = (name: string) => said[name] ?? null;
        this.#elsewhere(way() + later, () => {
          page.tab.post("network", 0, () => {
            if (this.#cut(page)) reject(new TypeError("Failed to fetch"));
            else resolve({ status, ok: status === 200, headers: { get } } as Response);
          });
        });
      });
    });
  }
}
