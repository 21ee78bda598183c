import {
  Axios,
  type AxiosInstance,
  type AxiosRequestConfig,
  type AxiosResponse,
  type CreateAxiosDefaults,
  getAdapter,
  type InternalAxiosRequestConfig,
} from "axios";
import type { Session } from "./types/index.js";

declare module "axios" {
  export interface AxiosRequestConfig {
    /**
     * Sends this request without the session: no bearer, and no refresh after a 401. For instances with `attachSession`. @default false
     */
    skipAuthRefresh?: boolean;
  }
}

/**
 * Makes options for `axios.create`: the instance sends all requests by `session.fetch`. An error with the code `user-changed` must not be
 * repeated, by axios-retry for example. @throws {TypeError} when `session` has no `fetch`
 */
export function throughSession(session: Pick<Session, "fetch">): Pick<CreateAxiosDefaults, "adapter" | "env"> {
  if (typeof session?.fetch !== "function") throw new TypeError("throughSession: session must be what createSession made");
  return { adapter: "fetch", env: { fetch: session.fetch } };
}

/** The options of {@link attachSession}. */
export interface AttachOptions {
  /** Called before each resend. It may change the headers or the adapter; a change of the address has no effect. @default none */
  onResend?: (config: InternalAxiosRequestConfig) => void | Promise<void>;
}

/**
 * Adds a session to an axios instance that keeps its own adapter, for example XHR for the progress of an upload.
 *
 * - The bearer goes to the session's `allowedOrigins` only. A 401 causes one refresh for all calls, and one resend for each.
 * - Interceptors run once for each call, also with a resend, and never get the token. The `request` of a response or an error is the XHR, or an
 *   object with `responseURL` and `res.responseUrl` only.
 * - A call rejects with the session's own error, code `user-changed`, when another user has signed in before its answer came.
 * - Each send has the address, headers and body that axios gave to its adapter: those of the call, if no interceptor is asynchronous.
 * - An adapter of axios gets the checked absolute address, without `baseURL` and `params`. An adapter that is a function gets those of the call,
 *   unless they lead to another address now.
 *
 * @returns a function that removes the session.
 * @throws {TypeError} when an option is unknown, or an argument is not an axios instance or a session.
 */
export function attachSession(axios: AxiosInstance, session: Pick<Session, "wrap">, options: AttachOptions = {}): () => void {
  if (!axios?.interceptors || !session?.wrap)
    throw new TypeError("attachSession: the arguments must be an instance of axios, and a session");
  for (const [name, value] of Object.entries(options))
    if (value !== undefined && name !== "onResend") throw new TypeError(`attachSession: no option ${name}; there is onResend`);
  const attach = (config: InternalAxiosRequestConfig): InternalAxiosRequestConfig => {
    if (config.skipAuthRefresh || config.auth) return config;
    const { adapter } = config;
    return { ...config, adapter: (final) => sendThrough(session, { ...final, adapter } as InternalAxiosRequestConfig, options) };
  };
  // A synchronous interceptor keeps the order of axios: the body is serialised before the caller goes on.
  const interceptor = axios.interceptors.request.use(attach, null, { synchronous: true });
  return () => axios.interceptors.request.eject(interceptor);
}

type Fetch = typeof globalThis.fetch;
type Env = NonNullable<InternalAxiosRequestConfig["env"]>;

/** Members of an adapter's response or error that may contain the bearer. */
interface Handed {
  config?: unknown;
  request?: unknown;
  event?: unknown;
  response?: AxiosResponse;
  cause?: unknown;
}

/** Sends by the instance's own adapter. The session gets a summary of the result; `settle` hands over the result itself. */
async function sendThrough(
  session: Pick<Session, "wrap">,
  config: InternalAxiosRequestConfig,
  { onResend }: AttachOptions,
): Promise<AxiosResponse> {
  const asked = String(addressOf(config));
  const data = copyOf(config.data);
  let sends = 0;
  let settle: () => AxiosResponse = () => {
    throw new TypeError("nothing was sent");
  };

  const send = session.wrap(async (checked, init) => {
    const attempt = { ...config, headers: config.headers.concat(), data, env: observed(config.env) };
    const sent = new Headers(init?.headers);
    const bearer = sent.get("authorization");
    for (const name of ["Authorization", "DPoP"]) if (sent.has(name)) attempt.headers.set(name, sent.get(name));
    if (sends++ > 0) await onResend?.(attempt);
    // A mock expects the address of the call. An adapter that resolves a relative address may resolve it differently now.
    if (typeof attempt.adapter !== "function" || addressOf(attempt) !== asked)
      Object.assign(attempt, { url: checked, baseURL: null, params: null });
    try {
      const response = await getAdapter(attempt.adapter, attempt)(attempt);
      const summary = summaryOf(response, asked);
      response.config = config;
      hide(response, bearer);
      settle = () => response;
      return summary;
    } catch (error) {
      const { response } = Object(error) as Handed;
      const summary = response && summaryOf(response, asked);
      // Loggers print the `config` of an axios error and of its `cause`: neither may contain the bearer.
      let failure = error as Handed | undefined;
      for (let depth = 0; failure && depth < 9; depth++) {
        hide(failure, bearer);
        if (failure.response) hide(failure.response, bearer);
        failure = failure.cause as Handed | undefined;
      }
      settle = () => {
        throw error;
      };
      if (summary) return summary;
      throw error;
    }
  });

  /** Removes the bearer from a response or an error. */
  function hide(handed: Handed, bearer: string | null): void {
    if (handed.config) handed.config = config;
    if (!bearer || !handed.request || tellsNoHeader(handed.request)) return;
    const url = urlOf(handed.request) ?? "";
    // Apps read `responseURL` in browsers, and `res.responseUrl` in Node.
    handed.request = { responseURL: url, res: { responseUrl: url } };
    if (handed.event) handed.event = null;
  }

  const { headers, method = "get", signal } = config;
  // `send` needs only the address, and whether the body can be read twice; the adapter has the body itself.
  const body = "pipe" in Object(data) ? new ReadableStream() : data === config.data ? (data as BodyInit) : null;
  // axios writes each method in upper case when it sends.
  const init = { method: method.toUpperCase(), headers: Object.entries(headers.toJSON(true)) as [string, string][], body };
  await send(asked, signal ? { ...init, signal: signal as AbortSignal } : init);
  return settle();
}

/** The address by this config alone, as adapters read it: `getUri` of an instance restores a default that an interceptor has removed. */
const addressOf = (config: AxiosRequestConfig): string => new Axios({}).getUri(config);

/** Copies a body that the caller may change later. Node's adapter accepts no view but `Buffer`, and changes the type of a `Blob`. */
function copyOf(data: unknown): unknown {
  if (data instanceof ArrayBuffer) return data.slice(0);
  if (ArrayBuffer.isView(data)) return data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
  if (data instanceof URLSearchParams) return new URLSearchParams(data);
  if (!(data instanceof FormData)) return data;
  const copy = new FormData();
  for (const entry of data) copy.append(...(entry as [string, string]));
  return copy;
}

/** Whether a request shows no header: an XHR does not, but a tracing tool may add members to it. */
const tellsNoHeader = (request: unknown): boolean =>
  Object.prototype.toString.call(request) === "[object XMLHttpRequest]" && Reflect.ownKeys(request as object).length === 0;

const page: { fetch: Fetch } = globalThis;
const pageFetch: Fetch = (input, init) => page.fetch(input, init);
const answeredFrom = new WeakMap<object, string>();
const observers = new WeakMap<object, Fetch>();

/** Notes the URL of each answer: axios' `fetch` adapter does not give it. Each `fetch` has one observer, since axios keeps them for ever. */
function observed(env: Env | undefined): Env {
  const own = (env?.fetch ?? pageFetch) as Fetch;
  const known = observers.get(own);
  if (known) return { ...env, fetch: known };
  observers.set(own, async (input, init) => {
    const response = await own(input, init);
    if (typeof input === "object") answeredFrom.set(input, response.url);
    return response;
  });
  return observed(env);
}

/** The URL of an answer: of XHR, of Node after redirects, of `fetch` since axios 1.12. It is undefined when unknown or not http. */
function urlOf(request: unknown): string | undefined {
  const { responseURL, res } = Object(request) as { responseURL?: string; res?: { responseUrl?: string } };
  const url = responseURL || res?.responseUrl || answeredFrom.get(Object(request));
  return url && /^https?:/i.test(url) ? url : undefined;
}

/** A response for the session to judge. A custom adapter or a mock may answer without an HTTP status: that is an error, not a 401. */
function summaryOf({ status, data, headers, request }: AxiosResponse, asked: string): Response {
  if (typeof status !== "number" || !(status >= 200 && status <= 599)) return Response.error();
  const readable = typeof data === "string" || data instanceof Blob || data instanceof ArrayBuffer || ArrayBuffer.isView(data);
  const summary = new Response(readable && ![204, 205, 304].includes(status) ? (data as BodyInit) : null, { status });
  for (const [name, value] of Object.entries(headers ?? {})) if (value != null) summary.headers.append(name, String(value));
  const url = urlOf(request);
  // An answer after a redirect may come from another server. A URL that spells `asked` differently does no harm: the session compares origins.
  if (url && url !== asked) Object.defineProperties(summary, { url: { value: url }, redirected: { value: true } });
  return summary;
}
