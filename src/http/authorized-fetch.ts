import type { Environment } from "../platform/environment.js";
import type { SessionOptions, Verdict } from "../types.js";

/** What the wrapper needs of the session. `Credential` says whose token it is. */
export interface Bearer<Credential extends { readonly token: string }> {
  /** The token if it can be sent at this moment. */
  peek(): Credential | null;
  /** Waits for the restore, and for a refresh. Always resolves: with the expired token if no other can be had now, with null if there is none. */
  wait(): Promise<Credential | null>;
  /** An API refused it. Resolves with another one of the same user, or with null if none can be had now. */
  replace(refused: Credential): Promise<Credential | null>;
  /** An answer to it came with another token. */
  adopt(token: string, sent: Credential): Promise<void>;
  /** The app's `classify` says that the session it was of is over. */
  end(refused: Credential): void;
  /** Once for each problem. */
  complain(problem: string, error: unknown): void;
  /** Puts a decision in line for the developer. */
  debug(type: string, details: Record<string, unknown>): void;
  /** Tells what is in line. */
  flush(): void;
}

export interface AuthorizedFetchOptions {
  readonly environment: Environment;
  readonly allowedOrigins: ReadonlySet<string>;
  readonly classify: SessionOptions["classify"] | undefined;
  readonly renewalHeader: string | undefined;
}

type Input = RequestInfo | URL;
type Classify = NonNullable<SessionOptions["classify"]>;
type Outcome = { response: Response; error?: never } | { response?: never; error: unknown };

/** Makes of a transport one that attaches the bearer, on allowed origins only, and sends once more when an API refuses it. */
export function authorizedFetch<Credential extends { readonly token: string }>(
  bearer: Bearer<Credential>,
  { environment, allowedOrigins, classify, renewalHeader }: AuthorizedFetchOptions,
  transport: typeof fetch,
): typeof fetch {
  const baseUrl = () => environment.baseUrl ?? environment.origin;

  return (input, init) => {
    try {
      if (!isAllowed(input) || carriesAuthorization(input, init)) return transport(input, init);
      const credential = bearer.peek();
      if (credential) return send(input, init, credential);
    } catch (error) {
      return Promise.reject(error);
    }
    return unlessAborted(bearer.wait(), input, init).then((credential) =>
      credential ? send(input, init, credential) : transport(input, init),
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

  /** A redirect has led elsewhere, and the bearer was not with it. */
  function cameFromElsewhere(response: Response): boolean {
    return response.redirected && !isAllowed(response.url);
  }

  function transmit(input: Input, init: RequestInit | undefined, credential: Credential): Promise<Response> {
    const sent = transport(input, withBearer(input, init, credential.token));
    if (!renewalHeader) return sent;
    return sent.then((response) => {
      const token = !cameFromElsewhere(response) && response.headers.get(renewalHeader);
      // Nobody waits for that: the answer is here.
      if (token) void bearer.adopt(token.replace(/^Bearer /i, ""), credential);
      return response;
    });
  }

  function send(input: Input, init: RequestInit | undefined, credential: Credential): Promise<Response> {
    // A Request's body can be read once. Without one, the same Request can be sent again.
    const spare = isRequest(input) && input.body ? input.clone() : input;
    const sent = transmit(input, init, credential);
    if (!classify && spare === input) {
      return sent.then((response) => (response.status === 401 ? judge(spare, init, credential, { response }) : response));
    }
    return sent.then(
      (response) => judge(spare, init, credential, { response }),
      (error: unknown) => judge(spare, init, credential, { error }),
    );
  }

  async function judge(input: Input, init: RequestInit | undefined, sent: Credential, outcome: Outcome): Promise<Response> {
    const { response } = outcome;
    const usual = response?.status === 401 ? "refresh" : "ok";
    const verdict = response && cameFromElsewhere(response) ? "ok" : classify ? await verdictOn(classify, input, init, outcome) : usual;
    if (verdict === "sign-out") bearer.end(sent);
    if (verdict === "refresh") {
      const since = environment.now();
      const next = await unlessAborted(bearer.replace(sent), input, init);
      // A one-shot body has been used up: the token is fresh for the next call, and this one gets its answer.
      if (next && !isOneShot(init?.body)) {
        discard(response);
        bearer.debug("request-resent", { status: response?.status, since });
        bearer.flush();
        return transmit(input, init, next);
      }
    }
    if (isRequest(input)) discard(input);
    if (response) return response;
    throw outcome.error;
  }

  async function verdictOn(classify: Classify, input: Input, init: RequestInit | undefined, outcome: Outcome): Promise<Verdict> {
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
  // It is in a cookie. What the caller says about cookies holds.
  if (!token) return { credentials: "include", ...init };
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
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
