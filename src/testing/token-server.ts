import { browserEnvironment } from "../platform/browser.js";
import type { Claims, TokenResponse } from "../types.js";
import type { Fault } from "./faults.js";
import { type GrantOptions, Grants } from "./grants.js";
import { type Answer, json, type Reply, replyOf } from "./reply.js";

export const TOKEN_ENDPOINT = "https://auth.example.test/token";
export const REVOCATION_ENDPOINT = "https://auth.example.test/revoke";
export const API = "https://api.example.test";

/** What the server goes by: a virtual clock, or the real one. */
export interface ServerClock {
  /** Epoch milliseconds. */
  worldNow(): number;
  pause(milliseconds: number): Promise<void>;
}

export function realClock(): ServerClock {
  const { now, setTimeout } = browserEnvironment();
  return { worldNow: now, pause: async (delay) => void (delay > 0 && (await new Promise<void>((resolve) => setTimeout(resolve, delay)))) };
}

export interface TokenServerOptions extends Partial<GrantOptions> {
  /** @default the real one */
  clock?: ServerClock;
  tokenEndpoint?: string;
  revocationEndpoint?: string;
}

/** One request to the API, as it arrived. No token in it. */
export interface ApiCall {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
  /** Which of the server's access tokens came with it: their number, or what else stood there. */
  readonly bearer: number | "none" | "foreign";
  status: number;
  readonly at: number;
}

export interface TokenCall {
  readonly at: number;
  outcome: "refreshed" | "rejected" | "reused" | "not processed";
}

/**
 * A strict authorization server with an API beside it, on the world's clock: refresh tokens are good for one use, and a second one revokes
 * the session. `handle` is all of it; where the requests come from (a virtual tab, msw) is somebody else's business.
 */
export class TokenServer {
  readonly grants: Grants;
  /** Faults of the coming token requests, used up one by one. */
  readonly faults: Fault[] = [];
  /** A fault of every token request for which `faults` has none. */
  fault: Fault | null = null;
  /** Milliseconds before a token request is processed, and after. */
  latency: { before: () => number; after: () => number } = { before: () => 0, after: () => 0 };
  apiLatency: (request: Request) => number = () => 0;
  /** Answers of the API other than its own, decided when a request arrives; undefined: its own. */
  apiAnswer: (call: ApiCall, request: Request) => Answer | "lost" | "silence" | undefined = () => undefined;
  /** The API, for requests with a valid bearer. @default 200, with whom the token speaks for */
  api: ((request: Request) => Response | Promise<Response>) | undefined;
  readonly apiCalls: ApiCall[] = [];
  readonly tokenCalls: TokenCall[] = [];
  readonly stats = {
    attempts: 0,
    refreshes: 0,
    rejected: 0,
    reused: 0,
    inFlight: 0,
    maximumInFlight: 0,
    revocations: 0,
    apiOk: 0,
    apiUnauthorized: 0,
  };
  readonly tokenEndpoint: string;
  readonly revocationEndpoint: string;
  readonly #clock: ServerClock;

  constructor(options: TokenServerOptions = {}) {
    const { clock = realClock(), tokenEndpoint = TOKEN_ENDPOINT, revocationEndpoint = REVOCATION_ENDPOINT, ...grants } = options;
    this.#clock = clock;
    this.tokenEndpoint = tokenEndpoint;
    this.revocationEndpoint = revocationEndpoint;
    this.grants = new Grants(() => clock.worldNow(), grants);
  }

  /** A sign-in that has happened elsewhere: what the login page got. */
  signIn(subject = "ada", claims: Claims = {}): TokenResponse {
    return this.grants.start(subject, claims);
  }

  /** For an API of your own: the 401 for a request without a valid bearer; null when it may pass. */
  refuse(request: Request): Response | null {
    const verdict = this.#judge(bearerOf(request));
    return "subject" in verdict ? null : new Response(verdict.body as string, verdict);
  }

  readonly handle = async (request: Request): Promise<Reply> => {
    if (request.url === this.tokenEndpoint) return this.#token(request);
    if (request.url === this.revocationEndpoint) return this.#revoke(request);
    return this.#api(request);
  };

  async #token(request: Request): Promise<Reply> {
    const { stats } = this;
    stats.attempts += 1;
    stats.inFlight += 1;
    stats.maximumInFlight = Math.max(stats.maximumInFlight, stats.inFlight);
    const fault = this.faults.shift() ?? this.fault;
    const call: TokenCall = { at: this.#clock.worldNow(), outcome: "not processed" };
    this.tokenCalls.push(call);
    const form = new URLSearchParams(await request.text());
    await this.#clock.pause(this.latency.before() + (fault?.waits ?? 0));
    const answer = fault && !fault.processed ? null : this.#refresh(form, call);
    await this.#clock.pause(this.latency.after());
    stats.inFlight -= 1;
    if (fault?.instead) return fault.instead;
    if (!answer) throw new Error("a fault that neither processes nor answers");
    return fault?.stalls ? { ...answer, stalls: true } : answer;
  }

  #refresh(form: URLSearchParams, call: TokenCall): Answer {
    if (form.get("grant_type") !== "refresh_token") return json(400, { error: "unsupported_grant_type" });
    const { response, reused } = this.grants.exchange(form.get("refresh_token") ?? "", form.get("resource") ?? undefined);
    call.outcome = response ? "refreshed" : reused ? "reused" : "rejected";
    if (response) this.stats.refreshes += 1;
    else this.stats.rejected += 1;
    if (reused) this.stats.reused += 1;
    return response
      ? json(200, response, { "cache-control": "no-store" })
      : json(400, { error: "invalid_grant", error_description: "expired or revoked" });
  }

  async #revoke(request: Request): Promise<Reply> {
    this.stats.revocations += 1;
    this.grants.revokeToken(new URLSearchParams(await request.text()).get("token") ?? "");
    return { status: 200, body: "" };
  }

  async #api(request: Request): Promise<Reply> {
    const { api } = this;
    const spare = api && request.clone();
    const body = new Uint8Array(await request.arrayBuffer());
    const token = bearerOf(request);
    const bearer = request.headers.has("authorization") ? (this.grants.serialOf(token) ?? "foreign") : "none";
    const headers = Object.fromEntries([...request.headers].filter(([name]) => name !== "authorization"));
    const call: ApiCall = { method: request.method, url: request.url, headers, body, bearer, status: 0, at: this.#clock.worldNow() };
    this.apiCalls.push(call);
    const verdict = this.#judge(token);
    const own = this.apiAnswer(call, request) ?? ("subject" in verdict ? undefined : verdict);
    const reply = own ?? (api && spare ? await replyOf(await api(spare)) : json(200, verdict));
    if (typeof reply === "object") {
      call.status = reply.status;
      if (reply.status === 401) this.stats.apiUnauthorized += 1;
      else if (reply.status === 200) this.stats.apiOk += 1;
    }
    await this.#clock.pause(this.apiLatency(request));
    return reply;
  }

  /** Whom the token speaks for, or the answer to one that is not accepted. */
  #judge(token: string | null): { subject: string; serial: number } | Answer {
    if (token === null) return json(401, { error: "no token" }, { "www-authenticate": 'Bearer realm="api"' });
    const verdict = this.grants.check(token);
    if (typeof verdict === "object") return verdict;
    const challenge = `Bearer realm="api", error="invalid_token", error_description="${verdict}"`;
    return json(401, { error: verdict }, { "www-authenticate": challenge });
  }
}

function bearerOf({ headers }: Request): string | null {
  const authorization = headers.get("authorization");
  return authorization?.startsWith("Bearer ") ? authorization.slice("Bearer ".length) : null;
}
