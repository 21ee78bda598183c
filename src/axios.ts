import { type AxiosInstance, type AxiosResponse, type CreateAxiosDefaults, getAdapter, type InternalAxiosRequestConfig } from "axios";
import type { Session } from "./types.js";

declare module "axios" {
  export interface AxiosRequestConfig {
    /** Sends this request without the session: no bearer, and a 401 is only a 401. For instances that `attachSession` was called on. */
    skipAuthRefresh?: boolean;
  }
}

/** What `axios.create` takes, so that all requests of the instance go through `session.fetch`. */
export function throughSession(session: Pick<Session, "fetch">): Pick<CreateAxiosDefaults, "adapter" | "env"> {
  return { adapter: "fetch", env: { fetch: session.fetch } };
}

export interface AttachOptions {
  /** Called before a request is sent again. May change its headers, or give it another adapter. */
  onResend?: (config: InternalAxiosRequestConfig) => void | Promise<void>;
}

/**
 * Brings a session to an axios instance that keeps its own adapter: XHR for the progress of an upload, say. The bearer goes to the session's
 * `allowedOrigins` only; a 401 causes one refresh for all calls and one resend for each. Interceptors run once for each call, whether it is
 * resent or not, and see no token. Returns its undo.
 */
export function attachSession(axios: AxiosInstance, session: Pick<Session, "wrap">, options: AttachOptions = {}): () => void {
  const interceptor = axios.interceptors.request.use((config) => {
    if (config.skipAuthRefresh || config.auth) return config;
    const own = config.adapter;
    return {
      ...config,
      adapter: (final) => sendThrough(axios, session, { ...final, adapter: own } as InternalAxiosRequestConfig, options),
    };
  });
  return () => axios.interceptors.request.eject(interceptor);
}

/** The instance's own adapter as the transport: what it comes to is kept aside, and the session is told what it has to know of it. */
async function sendThrough(
  axios: AxiosInstance,
  session: Pick<Session, "wrap">,
  config: InternalAxiosRequestConfig,
  { onResend }: AttachOptions,
): Promise<AxiosResponse> {
  let sent = 0;
  let settle: () => AxiosResponse = () => {
    throw new TypeError("nothing was sent");
  };

  const send = session.wrap(async (_input, init) => {
    const attempt = { ...config, headers: config.headers.concat() };
    const bearer = new Headers(init?.headers).get("authorization");
    if (bearer) attempt.headers.set("Authorization", bearer);
    if (sent++ > 0) await onResend?.(attempt);
    try {
      const response = await getAdapter(attempt.adapter)(attempt);
      response.config = config;
      settle = () => response;
      return summaryOf(response);
    } catch (error) {
      const failure = error as { config?: unknown; response?: AxiosResponse } | undefined;
      // Whoever logs an error of axios logs its config, and the token must not be in it.
      if (failure?.config) failure.config = config;
      if (failure?.response) failure.response.config = config;
      settle = () => {
        throw error;
      };
      if (failure?.response) return summaryOf(failure.response);
      throw error;
    }
  });

  const { data, headers, method = "get", signal } = config;
  // Not sent by this: it tells where the call goes, and whether its body can be read twice.
  const body = data !== null && typeof data === "object" && "pipe" in data ? new ReadableStream() : data;
  const init = { method, headers: Object.entries(headers.toJSON(true)) as [string, string][], body };
  await send(axios.getUri(config), signal ? { ...init, signal: signal as AbortSignal } : init);
  return settle();
}

/** What the session has to know. An adapter of one's own, or a mock, may answer anything: what is no HTTP status is no 401. */
function summaryOf({ status, data, headers }: AxiosResponse): Response {
  if (typeof status !== "number" || !(status >= 200 && status <= 599)) return Response.error();
  const readable = typeof data === "string" || data instanceof Blob || data instanceof ArrayBuffer || ArrayBuffer.isView(data);
  const summary = new Response(readable && ![204, 205, 304].includes(status) ? (data as BodyInit) : null, { status });
  for (const [name, value] of Object.entries(headers ?? {})) if (value != null) summary.headers.append(name, String(value));
  return summary;
}
