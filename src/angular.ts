import {
  HttpContextToken,
  type HttpErrorResponse,
  HttpEventType,
  type HttpHeaders,
  type HttpInterceptorFn,
  type HttpRequest,
} from "@angular/common/http";
import {
  DestroyRef,
  type EnvironmentProviders,
  InjectionToken,
  inject,
  makeEnvironmentProviders,
  type Signal,
  signal,
} from "@angular/core";
import { Observable, type Subscription } from "rxjs";
import type { Claims, Session, Snapshot } from "./types/index.js";

// biome-ignore lint/suspicious/noExplicitAny: a session of any claims, which the type parameter does not allow.
type AnySession = Session<any>;

/** The injection token of the session, for components and services: `inject(SESSION).signOut()`. */
export const SESSION = /* @__PURE__ */ new InjectionToken<AnySession>("tokentide session");

/** `context: new HttpContext().set(SKIP_SESSION, true)` sends a request without the session. @default false */
export const SKIP_SESSION = /* @__PURE__ */ new HttpContextToken(() => false);

/** Provides the session to the app. On a server, make a session for each request. It does not call `dispose()`. */
export function provideSession(session: AnySession): EnvironmentProviders {
  return makeEnvironmentProviders([{ provide: SESSION, useValue: session }]);
}

/**
 * Makes a signal of the session's snapshot. It changes until the calling component or service is destroyed. Call it in an injection context.
 *
 * The signal has no token: a rendered token may have expired when the app sends it. The interceptor and `session.fetch` send a valid one.
 */
export function injectSession<C extends object = Claims>(): Signal<Snapshot<C>> {
  const session: Session<C> = inject(SESSION);
  const snapshot = signal(session.getSnapshot());
  inject(DestroyRef).onDestroy(session.subscribe(() => snapshot.set(session.getSnapshot())));
  return snapshot.asReadonly();
}

/**
 * Does for `HttpClient` what `session.fetch` does: `provideHttpClient(withInterceptors([sessionInterceptor]))`.
 *
 * - The bearer goes to the session's `allowedOrigins` only.
 * - A 401, or another answer that `classify` judges so, causes one refresh for all requests and one resend for each, as the same user.
 * - A request fails with a `SessionError`, code `user-changed`, when another user has signed in before its answer came. An operator such as
 *   `retry` must not repeat it.
 * - A request with its own `Authorization` header, or with {@link SKIP_SESSION}, is sent without the session.
 * - Each send has the body as it was at the subscription. Later interceptors get the same object, or a plain copy of that state if the app has
 *   changed the object since.
 */
export const sessionInterceptor: HttpInterceptorFn = (request, next) => {
  const session = inject(SESSION);
  const { urlWithParams, method } = request;
  if (request.context.get(SKIP_SESSION)) return next(request);
  return new Observable((subscriber) => {
    const unsubscribed = new AbortController();
    const body = copyOf(bodyOf(request));
    let attempt: Subscription | undefined;
    // Hands over the result of the last attempt, after the session has judged it.
    let settle = (error?: unknown) => subscriber.error(error);

    const send = session.wrap(
      (_input, init) =>
        new Promise<Response>((resolve, reject) => {
          attempt = next(withInit(request, body, init)).subscribe({
            next(event) {
              if (event.type !== HttpEventType.Response) {
                subscriber.next(event);
                return;
              }
              settle = () => {
                subscriber.next(event);
                subscriber.complete();
              };
              resolve(summaryOf(event, event.body, urlWithParams));
            },
            error(error: HttpErrorResponse) {
              settle = () => subscriber.error(error);
              // Without an answer the status is 0; an interceptor may give any other number.
              if (error.status >= 200 && error.status <= 599) resolve(summaryOf(error, error.error, urlWithParams));
              else reject(error);
            },
          });
        }),
    );

    send(urlWithParams, { method, headers: pairs(request.headers), signal: unsubscribed.signal }).then(() => settle(), settle);
    return () => {
      unsubscribed.abort();
      attempt?.unsubscribe();
    };
  });
};

/** The request with the bearer, or with the cookies, that the session adds. */
function withInit(request: HttpRequest<unknown>, taken: unknown, init?: RequestInit): HttpRequest<unknown> {
  const sent = new Headers(init?.headers);
  const setHeaders: Record<string, string> = {};
  for (const name of ["Authorization", "DPoP"]) if (sent.has(name)) setHeaders[name] = sent.get(name) ?? "";
  const withCredentials = request.withCredentials || init?.credentials === "include";
  // A later interceptor gets the body object itself, unless its content has changed since.
  const body = bodyOf(request) === taken ? request.body : typeof taken === "string" ? Object(JSON.parse(taken)) : taken;
  return request.clone({ body, withCredentials, setHeaders });
}

/** The body as Angular serialises it now. Angular itself serialises when it sends, which may be long after the subscription. */
function bodyOf(request: HttpRequest<unknown>) {
  try {
    return request.serializeBody();
  } catch {
    // A later interceptor may replace the body. Otherwise Angular reports the error.
    return undefined;
  }
}

function copyOf(body: ReturnType<typeof bodyOf>): typeof body {
  if (body instanceof ArrayBuffer) return body.slice(0);
  if (body instanceof URLSearchParams) return new URLSearchParams(body);
  if (!(body instanceof FormData)) return body;
  const copy = new FormData();
  for (const [name, value] of body) copy.append(name, value as string);
  return copy;
}

type Answer = Pick<HttpErrorResponse, "status" | "headers" | "url">;

/** A response for the session to judge. The body is serialised only for a `classify` that reads it. */
function summaryOf({ status, headers, url }: Answer, body: unknown, asked: string): Response {
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    controller.enqueue(new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)));
    controller.close();
  };
  const summary = new Response(body ? new ReadableStream({ pull }, { highWaterMark: 0 }) : null, { status, headers: pairs(headers) });
  // An answer after a redirect may come from another server. A URL that spells `asked` differently does no harm: the session compares origins.
  if (url && url !== asked) Object.defineProperties(summary, { url: { value: url }, redirected: { value: true } });
  return summary;
}

const pairs = (headers: HttpHeaders) => headers.keys().map((name): [string, string] => [name, headers.get(name) ?? ""]);
