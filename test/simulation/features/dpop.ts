import type { DpopProofs } from "../../../src/types/index.js";
import type { App } from "../app.js";
import type { Browser } from "../browser.js";
import type { Dice, Plan } from "../plan.js";
import { fakeCrypto, nameOf, readProof } from "../platform/keys.js";
import { type Answer, API_URL, type Exchange, TOKEN_URL } from "../platform/network.js";
import type { Page } from "../platform/page.js";
import type { Grant } from "../server.js";
import { AUDIENCES } from "./audiences.js";
import { type ApiAnswer, type Feature, isExact, type Library, type Write } from "./feature.js";
import { ProofServer } from "./proof-server.js";

/** The time of a proof may be off by so much at a strict server. Answers may be slow, and pages stand still, before they store its time. */
const BOUND = 240_000;
/** The clock of a device that is wrong, is wrong by more than that. */
const WRONG = [-3_600_000, -900_000, 900_000, 3_600_000] as const;

/** A request to the token endpoint. */
interface Sent {
  readonly exchange: Exchange;
  /** The number of its attempt. */
  readonly fence: number | undefined;
  /** It answers a challenge. */
  readonly answers: boolean;
  /** It was answered with one. */
  challenged: boolean;
}

interface Request {
  readonly page: Page;
  readonly url: string;
  readonly method: string;
  readonly proof: string | undefined;
  /** The session to which the server bound the token that the request presents. */
  readonly grant: Grant | undefined;
  readonly token?: string;
}

/**
 * Tokens that are bound to the key of their login (RFC 9449). The servers ask for nonces, and some look at the time of a proof. All clocks of the
 * browser are wrong alike, since they are one device's.
 */
class Dpop implements Feature {
  readonly likelihood = 0.12;
  readonly crypto = fakeCrypto();
  readonly #browser: Browser;
  readonly #plan: Plan;
  readonly #dice: Dice;
  readonly #servers: readonly ProofServer[];
  readonly #wrong: number;
  /** The servers look at the time for as long as there are faults, or to the end where the session can always learn it. */
  readonly #strict: boolean;
  readonly #proofs = new Map<Page, DpopProofs[]>();
  /** The key that a page has got for a login, until it signs in. */
  readonly #mine = new Map<App, string>();
  /** They wait for the key of a login of their own, and cannot tell it from that of another one. */
  readonly #asking = new Set<App>();
  /** The last one of each page. */
  readonly #last = new Map<Page, Sent>();

  constructor(browser: Browser, plan: Plan, dice: Dice) {
    this.#browser = browser;
    this.#plan = plan;
    this.#dice = dice;
    this.#strict = !isExact(plan) && dice.bool(0.7);
    this.#wrong = dice.pick(WRONG);
    const learns = !plan.kinds.has("clock-jump") && !plan.kinds.has("device-sleep");
    const origins = [TOKEN_URL, API_URL, ...AUDIENCES].map((url) => new URL(url).origin);
    this.#servers = origins.map((origin) => {
      const strict = this.#strict && dice.bool(0.7);
      const bound = () => (strict && (learns || !browser.calm) ? BOUND : undefined);
      return new ProofServer(origin, dice, () => browser.clock.world.now, bound);
    });
    browser.authority.idTokens = this.#strict && !plan.jwt;
  }

  options(page: Page, { dpop }: Library) {
    const proofs = dpop();
    this.#proofs.set(page, [...(this.#proofs.get(page) ?? []), proofs]);
    return { dpop: proofs };
  }

  skew(drawn: number): number {
    return this.#plan.skewed && this.#strict ? this.#wrong : drawn;
  }

  happen(app: App): void {
    if (this.#dice.bool(0.15)) this.signsIn(this.#dice.pick(["ada", "grace"]), app);
    else app.fetch(API_URL);
  }

  /** A login: it begins with a key, takes its time, and may come back to another page. */
  signsIn(subject: string, app: App): void {
    const dice = this.#dice;
    if (dice.bool(0.2)) {
      const made = this.crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
      void made.then((keyPair) => this.#signIn(subject, app, { keyPair, gives: true }));
      return;
    }
    const [takes, where] = [dice.skewed(0, 8_000), dice.chance()];
    this.#getKey(app, (keyPair) => this.#browser.clock.after(takes, () => this.#comeBack(subject, app, keyPair, where)));
  }

  #getKey(app: App, then: (keyPair: CryptoKeyPair) => void): void {
    const proofs = this.#proofs.get(app.page)?.[this.#browser.appsOf(app.page).indexOf(app)] as DpopProofs;
    this.#asking.add(app);
    app.keyPair(proofs, (keyPair) => {
      this.#asking.delete(app);
      this.#mine.set(app, nameOf(keyPair) as string);
      then(keyPair);
    });
  }

  #comeBack(subject: string, app: App, keyPair: CryptoKeyPair, where: number): void {
    const browser = this.#browser;
    if (browser.calm) return;
    const { page } = app;
    if (where < 0.6 || !this.#plan.store) return this.#signIn(subject, app, { keyPair });
    if (where < 0.8) {
      const others = browser.apps.filter((other) => other.page.runs && !this.#mine.has(other) && !this.#asking.has(other));
      return this.#signIn(subject, others.length > 0 ? this.#dice.pick(others) : app, { keyPair });
    }
    if (!page.runs) return;
    browser.log(page.name, "goes to the login page, and comes back");
    page.close();
    const back = browser.appsOf(browser.open())[0] as App;
    if (where < 0.9) return this.#signIn(subject, back, { keyPair });
    // The code is exchanged with what the page gets now.
    this.#getKey(back, (key) => this.#signIn(subject, back, { keyPair: key }));
  }

  #signIn(subject: string, app: App, { keyPair, gives = false }: { keyPair: CryptoKeyPair; gives?: boolean }): void {
    const { observer, log } = this.#browser;
    const key = nameOf(keyPair);
    if (!app.page.runs || app.signingIn.length > 0) return;
    const mine = this.#mine.get(app);
    // What the page does not have is in the record, unless another login has taken it. Then the user has to log in again.
    if (!gives && mine !== key && (mine || nameOf(observer.stored?.pendingKey) !== key)) return;
    log(app.page.name, `comes from a login with ${key}`);
    if (!gives) this.#mine.delete(app);
    app.signIn(subject, { key, ...(gives && { dpopKeyPair: keyPair }) });
  }

  sending(exchange: Exchange): void {
    const former = this.#last.get(exchange.page);
    // The fence counts the attempts.
    const { fence } = this.#browser.observer.stored ?? {};
    const answers = !!former?.challenged && former.fence === fence;
    this.#last.set(exchange.page, { exchange, fence, answers, challenged: false });
  }

  nonce(url: string): string | undefined {
    return this.#serverOf(url).nonce();
  }

  instead(exchange: Exchange): Answer | undefined {
    const { page, proof, token, number } = exchange;
    const grant = this.#browser.authority.grantOf(token);
    const error = this.#judge({ page, url: TOKEN_URL, method: "POST", proof, grant });
    if (!error) return undefined;
    this.#browser.log("server", `request ${number} with ${token}: ${error}`);
    const last = this.#last.get(page);
    if (last?.exchange === exchange && error === "use_dpop_nonce") last.challenged = true;
    return { status: 400, error, ...(error === "use_dpop_nonce" && { nonce: this.#serverOf(TOKEN_URL).challenge() }) };
  }

  api(page: Page, url: string, token: string | undefined, proof: string | undefined): ApiAnswer | undefined {
    const { authority, log } = this.#browser;
    if (!token) return undefined;
    const error = this.#judge({ page, url, method: "GET", proof, grant: authority.grantOf(token), token });
    if (!error) return undefined;
    log("server", `answers a call of ${page.name}: ${error}`);
    const nonce = error === "use_dpop_nonce" && { nonce: this.#serverOf(url).challenge() };
    return { status: 401, challenge: `DPoP error="${error}"`, ...nonce };
  }

  /** What a server says to a request, unless its proof is good. */
  #judge({ page, url, method, proof, grant, token }: Request): string | undefined {
    const server = this.#serverOf(url);
    const refused = (what: string): string => {
      this.#browser.observer.violate("dpop", `${page.name} sends ${what} to ${server.origin}`);
      return "invalid_token";
    };
    const read = proof === undefined ? undefined : readProof(proof);
    if (!read) return refused(proof === undefined ? "a request without a proof" : "what is no proof");
    const { key, nonce, htm, htu } = read;
    const { origin, pathname } = new URL(url);
    if (htm !== method || htu !== origin + pathname || read.token !== token) return refused("a proof for another request");
    if (server.isRepeated(read)) return refused("a proof for the second time");
    if (nonce !== undefined && !server.isOwn(nonce)) return refused(`the nonce ${nonce}`);
    if (grant && grant.key !== key) return refused(`a token of ${grant.key} with a proof by ${key}`);
    return server.judge(read);
  }

  #serverOf(url: string): ProofServer {
    return this.#servers.find(({ origin }) => url.startsWith(origin)) as ProofServer;
  }

  wrote({ page, before, record }: Write): void {
    const { observer } = this.#browser;
    if (record.reason === "credential-lost" && before?.signedIn)
      observer.violate("dpop", `${page.name} ended a session for its key, which nobody has lost`);
    const last = this.#last.get(page);
    const { failure } = record;
    if (!failure || failure.at === before?.failure?.at) return;
    if (failure.code === "configuration") observer.violate("dpop", `${page.name} takes a nonce for a wrong set-up`);
    // The second one tells that the first nonce has expired on its way.
    if (!last?.challenged || last.answers || this.#browser.appsOf(page).length > 1) return;
    const { answeredAt, sentAt, interruptions } = last.exchange;
    const { refreshTimeout } = observer.times.get(page) ?? this.#plan;
    // The page had the time to send again, and did not.
    const inTime = answeredAt !== undefined && answeredAt - sentAt < refreshTimeout / 2 - 500;
    if (inTime && page.interruptions === interruptions)
      observer.violate("dpop", `${page.name} counts a challenge as a failure (${failure.code})`);
  }
}

export const dpop = (browser: Browser, plan: Plan, dice: Dice): Feature => new Dpop(browser, plan, dice);
