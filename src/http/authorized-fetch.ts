import type { Environment } from "../platform/environment.js";
import type { SessionOptions, Verdict } from "../types.js";

/** What the wrapper needs of the session. */
export interface Bearer {
  /** The token if it can be sent at this moment. */
  peek(): string | null;
  /** Waits for the restore, and for a refresh. Always resolves: with the expired token if no other can be had now, with null if there is none. */
  wait(): Promise<string | null>;
  /** An API refused `token`. Resolves with another one, or with null if none can be had now. */
  replace(token: string): Promise<string | null>;
  /** The app's `classify` says that the session is over. */
  end(): void;
  /** Once for each problem. */
  complain(problem: string, error: unknown): void;
}

export interface AuthorizedFetchOptions {
  readonly environment: Environment;
  readonly allowedOrigins: ReadonlySet<string>;
  readonly classify: SessionOptions["classify"] | undefined;
}

type Input = RequestInfo | URL;
type Outcome = { response: Response; error?: never } | { response?: never; error: unknown };

/** A `fetch` that attaches the bearer, on allowed origins only, and sends once more when an API refuses it. */
export function authorizedFetch(bearer: Bearer, { environment, allowedOrigins, classify }: AuthorizedFetchOptions): typeof fetch {
  const baseUrl = () => environment.baseUrl ?? environment.origin;

  return (input, init) => {
    try {
      if (!isAllowed(input) || carriesAuthorization(input, init)) return environment.fetch(input, init);
      const token = bearer.peek();
      if (token !== null) return send(input, init, token);
    } catch (error) {
      return Promise.reject(error);
    }
    return unlessAborted(bearer.wait(), input, init).then((token) =>
      token === null ? environment.fetch(input, init) : send(input, init, token),
    );
  };

  /** Compared parsed: `https://api.example.com.evil.test` begins like an allowed origin, and is none. */
  function isAllowed(input: Input): boolean {
    const url = isRequest(input) ? input.url : input;
    try {
      return allowedOrigins.has(new URL(url, baseUrl()).origin);
    } catch {
      // Not a URL; `fetch` says so best.
      return false;
    }
  }

  function send(input: Input, init: RequestInit | undefined, token: string): Promise<Response> {
    // A Request's body can be read once. Without one, the same Request can be sent again.
    const spare = isRequest(input) && input.body ? input.clone() : input;
    const sent = environment.fetch(input, withBearer(input, init, token));
    if (!classify && spare === input) {
      return sent.then((response) => (response.status === 401 ? judge(spare, init, token, { response }) : response));
    }
    return sent.then(
      (response) => judge(spare, init, token, { response }),
      (error: unknown) => judge(spare, init, token, { error }),
    );
  }

  async function judge(input: Input, init: RequestInit | undefined, token: string, outcome: Outcome): Promise<Response> {
    const verdict = await verdictOn(input, init, outcome);
    if (verdict === "sign-out") bearer.end();
    if (verdict === "refresh") {
      const next = await unlessAborted(bearer.replace(token), input, init);
      // A one-shot body has been used up: the token is fresh for the next call, and this one gets its answer.
      if (next !== null && !isOneShot(init?.body)) {
        discard(outcome.response);
        return environment.fetch(input, withBearer(input, init, next));
      }
    }
    if (isRequest(input)) discard(input);
    if (outcome.response) return outcome.response;
    throw outcome.error;
  }

  async function verdictOn(input: Input, init: RequestInit | undefined, outcome: Outcome): Promise<Verdict> {
    if (!classify) return outcome.response?.status === 401 ? "refresh" : "ok";
    // The caller's own abort is nobody's failure.
    if (signalOf(input, init)?.aborted) return "ok";
    const response = outcome.response?.clone();
    try {
      const url = isRequest(input) ? input.url : new URL(input, baseUrl());
      const { body: _, ...rest } = init ?? {};
      const headers = rest.headers ?? (isRequest(input) ? input.headers : {});
      const request = new Request(url, { method: isRequest(input) ? input.method : "GET", ...rest, headers });
      const verdict = await classify(response ? { response, request } : { error: outcome.error, request });
      if (!["ok", "refresh", "sign-out"].includes(verdict)) throw new TypeError('expected "ok", "refresh" or "sign-out"');
      return verdict;
    } catch (error) {
      bearer.complain("classify failed; the answer is passed on", error);
      return "ok";
    } finally {
      if (response && !response.bodyUsed) discard(response);
    }
  }
}

const isRequest = (input: Input): input is Request => typeof input === "object" && "method" in input;

const signalOf = (input: Input, init: RequestInit | undefined) => init?.signal ?? (isRequest(input) ? input.signal : undefined);

function isOneShot(body: BodyInit | null | undefined): boolean {
  return typeof body === "object" && body !== null && ("getReader" in body || Symbol.asyncIterator in body);
}

/** Frees the connection, or the memory, that an unread body holds. */
function discard(message: Response | Request | undefined): void {
  message?.body?.cancel().catch(() => {});
}

function carriesAuthorization(input: Input, init: RequestInit | undefined): boolean {
  const headers = init?.headers ?? (isRequest(input) ? input.headers : undefined);
  if (!headers) return false;
  return (headers instanceof Headers ? headers : new Headers(headers)).has("authorization");
}

function withBearer(input: Input, init: RequestInit | undefined, token: string): RequestInit {
  const authorization = `Bearer ${token}`;
  const given = init?.headers ?? (isRequest(input) ? input.headers : undefined);
  if (!given) return { ...init, headers: { authorization } };
  const headers = new Headers(given);
  headers.set("authorization", authorization);
  return { ...init, headers };
}

/** Rejects for this caller alone; what it waited for goes on. */
function unlessAborted<T>(promise: Promise<T>, input: Input, init: RequestInit | undefined): Promise<T> {
  return abortable(promise, signalOf(input, init) ?? undefined);
}

export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
