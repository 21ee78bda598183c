import { SessionError } from "../errors.js";
import { abortable, keepAlive } from "../platform/timers.js";
import type { Environment } from "../types/environment.js";
import type { SessionOptions, Verdict } from "../types/index.js";
import { originCheck } from "./allowed-origins.js";
import { type Call, callOf, discard, type Effort, isOneShot, isRequest } from "./call.js";

/** Gives the calls of `fetch` their tokens. `Credential` has the token and its user. */
export interface CallTokens<Credential extends { readonly token: string }> {
  /** Returns the token if a call can send it at this moment. */
  peek(): Credential | null;
  /**
   * Waits for the restore and for a refresh. Resolves with the expired token if there is no other, and with null without a token. Rejects with
   * `user-changed` when another user has signed in meanwhile (R54).
   */
  wait(effort: Effort): Promise<Credential | null>;
  /** An API refused the token. Resolves with another token of the same user, or with null without one. */
  replace(refused: Credential, effort: Effort): Promise<Credential | null>;
  /** Whether the last renewals for a refusal cured nothing. Then `judged` needs the accepted tokens, too. */
  paced(): boolean;
  /** The call is over. `accepted`: the API surely accepted the token. */
  judged(sent: Credential, effort: Effort, accepted: boolean): void;
  /** Gets each answer of an allowed origin, since a response header may have a later token. */
  readonly renewed?: ((response: Response, sent: Credential) => void) | undefined;
  /** Sends the call with a token that is bound to a key. Returns undefined for a bearer token. */
  readonly carry?:
    | ((transport: typeof fetch, input: string | Request, call: Call, sent: Credential) => Promise<Response> | undefined)
    | undefined;
  /** Whether the session is known to be another user's by now than the one of this token. */
  isOfFormerUser(sent: Credential): boolean;
  /** Ends the session of this token, since the app's `classify` returned `"sign-out"`. */
  end(refused: Credential): void;
}

export interface AuthorizedFetchOptions {
  readonly environment: Environment;
  readonly allowedOrigins: ReadonlySet<string>;
  readonly refreshTimeout: number;
  readonly classify: SessionOptions["classify"] | undefined;
  readonly report: {
    warnOnce(problem: string, error: unknown): void;
    debug(type: string, details: Record<string, unknown>): void;
    flush(): void;
  };
}

type Outcome = { response: Response; error?: never } | { response?: never; error: unknown };

/** The challenge of a 401 that asks for other credentials than a token. Quoted texts do not count. */
const OTHER_CREDENTIALS = /^(?!.*\b(bearer|dpop|token|jwt)\b) *(basic|digest|negotiate|ntlm)\b/i;
/** The challenge of a 401 that asks for a token with more rights, which needs the user, or for another proof (RFC 9449 §9). */
const OTHER_TOKEN = /\berror="?(insufficient|use_dpop|invalid_dpop)_/i;
/** An answer of these types may never end, and `classify` might wait for its body. So `classify` gets it without a body. */
const STREAM = /stream|multipart|ndjson|jsonl|json-seq|connect|grpc|text\/plain|^(audio|video)/i;
/** The most sends of one call: the second one with a newer token of this tab, and the third one with a token that was renewed for the call. */
const SENDS = 3;

/**
 * Wraps a transport. The result attaches the bearer for allowed origins only, and sends the call again with another token after a refusal.
 */
export function authorizedFetch<Credential extends { readonly token: string }>(
  tokens: CallTokens<Credential>,
  { environment, allowedOrigins, refreshTimeout, classify, report }: AuthorizedFetchOptions,
  transport: typeof fetch,
): typeof fetch {
  const allowed = originCheck(environment, allowedOrigins);

  return (input, init) => {
    try {
      const request = isRequest(input) ? input : undefined;
      const url = allowed(request ? request.url : `${input as string}`);
      if (!url) return transport(input, init);
      const call = callOf(request, url, init, 2 * refreshTimeout + 5000);
      if (call.init.headers?.has("authorization")) return transport(call.input, call.init);
      const credential = tokens.peek();
      if (credential) return send(call, credential);
      // The caller may read the body of its Request while the call waits, so the call gets a Request of its own.
      if (request && !call.init.body) call.input = new Request(request);
      return forCaller(tokens.wait(call), call).then((found) => (found ? send(call, found) : transport(call.input, call.init)));
    } catch (error) {
      return Promise.reject(error);
    }
  };

  /** Whether a redirect led to an origin that gets no bearer. */
  function cameFromElsewhere(response: Response): boolean {
    return response?.redirected && !allowed(response.url);
  }

  /** Rejects for this caller when it aborts. The promise itself goes on. */
  function forCaller<T>(promise: Promise<T>, { signal }: Call): Promise<T> {
    return keepAlive(environment, abortable(promise, signal));
  }

  /** Keeps the answer of a former user out of the caches that the app has just cleared (R54). */
  function assertSameUser(call: Call, sent: Credential, response: Response): void {
    if (!tokens.isOfFormerUser(sent)) return;
    discard(response);
    free(call);
    const message = "the answer is for a former user; the request may have been carried out";
    throw new SessionError("user-changed", message, { status: response?.status, lost: true });
  }

  function send(call: Call, credential: Credential): Promise<Response> {
    const { input, init } = call;
    // A Request's body can be read once, so a later send needs a clone. A Request without a body can be sent again.
    if (++call.sends < SENDS && isRequest(input) && input.body !== null && !init.body) call.input = input.clone();
    const isPlain = !classify && call.sends === 1 && call.input === input;
    const answer = tokens.carry?.(transport, input, call, credential) ?? transport(input, withBearer(input, init, credential.token));
    return answer.then(
      (response) => {
        assertSameUser(call, credential, response);
        if (tokens.renewed && !cameFromElsewhere(response)) tokens.renewed(response, credential);
        return isPlain && response?.status !== 401 && !tokens.paced() ? response : handleOutcome(call, credential, { response });
      },
      isPlain ? undefined : (error: unknown) => handleOutcome(call, credential, { error }),
    );
  }

  async function handleOutcome(call: Call, sent: Credential, outcome: Outcome): Promise<Response> {
    const { response } = outcome;
    const verdict = await verdictOn(call, outcome);
    if (verdict === "sign-out") tokens.end(sent);
    if (
      verdict === "refresh" &&
      call.renewal === undefined &&
      call.sends + Math.max(0, call.challenges - 1) < SENDS &&
      !call.signal?.aborted
    ) {
      const since = environment.now();
      const next = await forCaller(tokens.replace(sent, call), call);
      // The first send used up a one-shot body. The caller gets its answer, and the next call gets the new token.
      if (next && !isOneShot(call.init.body)) {
        discard(response);
        report.debug("request-resent", { status: response?.status, since });
        report.flush();
        return send(call, next);
      }
    }
    // The user may have changed while `classify` or a renewal was waited for.
    if ("response" in outcome) assertSameUser(call, sent, response as Response);
    // A rate limiter or a proxy may answer before an API checks the token, so 401, 408, 429 and 5xx accept nothing.
    tokens.judged(sent, call, verdict === "ok" && /^([23]|4(?!01|08|29))/.test(`${response?.status}`));
    free(call);
    if ("response" in outcome) return response as Response;
    throw outcome.error;
  }

  /** Returns the verdict of an answer on the token, or undefined when the answer has none. */
  async function verdictOn({ input, init, signal }: Call, { response, error }: Outcome): Promise<Verdict | undefined> {
    // An abort by the caller has no verdict on the token, and neither has an answer of another origin.
    if (signal?.aborted || (response && cameFromElsewhere(response))) return undefined;
    if (!classify) {
      if (response?.status !== 401) return response && "ok";
      const challenge = response.headers?.get?.("www-authenticate") ?? "";
      return OTHER_TOKEN.test(challenge) || OTHER_CREDENTIALS.test(challenge.replace(/"[^"]*"/g, "")) ? undefined : "refresh";
    }
    let copy: Response | undefined;
    try {
      copy = response && copyFor(response);
      const { body: _, ...rest } = init;
      const [url, { method, headers }] = isRequest(input) ? [input.url, input] : [input, { method: "GET", headers: {} }];
      const request = new Request(url, { method, headers, ...rest });
      const verdict = await classify(copy ? { response: copy, request } : { error, request });
      if (!["ok", "refresh", "sign-out"].includes(verdict)) throw new TypeError('expected "ok", "refresh" or "sign-out"');
      return verdict;
    } catch (thrown) {
      report.warnOnce("classify failed; the answer is passed on", thrown);
      return undefined;
    } finally {
      if (!copy?.bodyUsed) discard(copy);
    }
  }
}

/** Frees the copy of a body that is not sent again. */
function free({ input, init }: Call): void {
  if (isRequest(input) && !init.body) discard(input);
}

/** Returns a response for `classify`, which may read its body. The caller's response keeps its body. */
function copyFor(response: Response): Response {
  try {
    if (!response.ok || !STREAM.test(response.headers.get("content-type") ?? "")) return response.clone();
  } catch {
    // The transport has read the body already, or its answer only looks like a Response.
  }
  return new Response(null, response);
}

function withBearer(input: string | Request, init: Call["init"], token: string): RequestInit {
  // The token is in a cookie, and the caller's `credentials` take precedence. Every Request has a value there, so only its "omit" is a choice.
  if (!token) return { ...init, credentials: init.credentials ?? (isRequest(input) && input.credentials === "omit" ? "omit" : "include") };
  const authorization = `Bearer ${token}`;
  if (!init.headers) return { ...init, headers: { authorization } };
  // A transport may change the headers that it gets, and a later send needs those of the call.
  const headers = new Headers(init.headers);
  headers.set("authorization", authorization);
  return { ...init, headers };
}
