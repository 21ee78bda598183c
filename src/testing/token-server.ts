import { browserEnvironment } from "../platform/browser.js";
import type { Claims, TokenResponse } from "../types/index.js";
import type { Fault } from "./faults.js";
import { Grants } from "./grants.js";
import type { ApiCall, TokenServer as PublicServer, ServerClock, TokenCall, TokenServerOptions } from "./public.js";
import { type Answer, json, type Reply, replyOf } from "./reply.js";

export const TOKEN_ENDPOINT = "https://auth.example.test/token";
export const REVOCATION_ENDPOINT = "https://auth.example.test/revoke";
export const API = "https://api.example.test";

export function realClock(): ServerClock {
  const { now, setTimeout } = browserEnvironment();
  return { worldNow: now, pause: async (delay) => void (delay > 0 && (await new Promise<void>((resolve) => setTimeout(resolve, delay)))) };
}

/** The server fills an entry of its log in while it processes the request. */
type Writable<T> = { -readonly [Member in keyof T]: T[Member] };

export class TokenServer implements PublicServer {
  readonly grants: Grants;
  readonly faults: Fault[] = [];
  fault: Fault | null = null;
  latency: { before: () => number; after: () => number } = { before: () => 0, after: () => 0 };
  apiLatency: (request: Request) => number = () => 0;
  apiAnswer: PublicServer["apiAnswer"] = () => undefined;
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

  signIn(subject = "ada", claims: Claims = {}): TokenResponse {
    return this.grants.start(subject, claims);
  }

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
    const call: Writable<TokenCall> = { at: this.#clock.worldNow(), outcome: "not processed" };
    this.tokenCalls.push(call);
    const form = new URLSearchParams(await request.text());
    await this.#clock.pause(this.latency.before() + (fault?.waits ?? 0));
    const answer = fault && !fault.processed ? null : this.#refresh(form, call);
    await this.#clock.pause(this.latency.after());
    stats.inFlight -= 1;
    if (fault?.instead) return fault.instead;
    if (!answer) throw new Error("tokentide/testing: a fault without `processed` needs `instead`");
    return fault?.stalls ? { ...answer, stalls: true } : answer;
  }

  #refresh(form: URLSearchParams, call: Writable<TokenCall>): Answer {
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
    const call: Writable<ApiCall> = {
      method: request.method,
      url: request.url,
      headers,
      body,
      bearer,
      status: 0,
      at: this.#clock.worldNow(),
    };
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

  /** The token's user and number, or the answer to a request without a valid token. */
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
