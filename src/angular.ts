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
import type { Claims, Session, Snapshot } from "./types.js";

// biome-ignore lint/suspicious/noExplicitAny: a session of whatever claims, which the type parameter does not allow.
type AnySession = Session<any>;

/** The session, for what components and services do with it: `inject(SESSION).signOut()`. */
export const SESSION = /* @__PURE__ */ new InjectionToken<AnySession>("tokentide session");

/** `context: new HttpContext().set(SKIP_SESSION, true)` leaves a request alone. */
export const SKIP_SESSION = /* @__PURE__ */ new HttpContextToken(() => false);

/** For the providers of the app; on a server, make a session for each request. It does not dispose of the session. */
export function provideSession(session: AnySession): EnvironmentProviders {
  return makeEnvironmentProviders([{ provide: SESSION, useValue: session }]);
}

/**
 * What is known of the session, as a signal, for as long as the component or service lives that calls it, in an injection context.
 *
 * The token is not in it: one that was rendered may have expired when it is sent. The interceptor, or `session.fetch`, sends it.
 */
export function injectSession<C extends object = Claims>(): Signal<Snapshot<C>> {
  const session: Session<C> = inject(SESSION);
  const snapshot = signal(session.getSnapshot());
  inject(DestroyRef).onDestroy(session.subscribe(() => snapshot.set(session.getSnapshot())));
  return snapshot.asReadonly();
}

/**
 * For `provideHttpClient(withInterceptors([sessionInterceptor]))`: what `session.fetch` does, for `HttpClient`. The bearer goes to the session's
 * `allowedOrigins` only; an answer that asks for it causes one refresh for all requests, and one resend for each, as the same user. A request
 * with an `Authorization` header of its own, or with {@link SKIP_SESSION}, is left alone.
 */
export const sessionInterceptor: HttpInterceptorFn = (request, next) => {
  const session = inject(SESSION);
  if (request.context.get(SKIP_SESSION)) return next(request);
  return new Observable((subscriber) => {
    const unsubscribed = new AbortController();
    let attempt: Subscription | undefined;
    // What the last attempt has come to, kept until the session has judged it.
    let settle = (error?: unknown) => subscriber.error(error);

    const send = session.wrap(
      (_input, init) =>
        new Promise<Response>((resolve, reject) => {
          attempt = next(withInit(request, init)).subscribe({
            next(event) {
              if (event.type !== HttpEventType.Response) {
                subscriber.next(event);
                return;
              }
              settle = () => {
                subscriber.next(event);
                subscriber.complete();
              };
              resolve(summaryOf(event, event.body));
            },
            error(error: HttpErrorResponse) {
              settle = () => subscriber.error(error);
              // No answer, or one whose status is none.
              if (error.status >= 200 && error.status <= 599) resolve(summaryOf(error, error.error));
              else reject(error);
            },
          });
        }),
    );

    const { urlWithParams, method } = request;
    send(urlWithParams, { method, headers: pairs(request.headers), signal: unsubscribed.signal }).then(() => settle(), settle);
    return () => {
      unsubscribed.abort();
      attempt?.unsubscribe();
    };
  });
};

/** The request with the bearer, or with the cookies, that the session adds. */
function withInit(request: HttpRequest<unknown>, init: RequestInit = {}): HttpRequest<unknown> {
  const bearer = new Headers(init.headers).get("authorization");
  const withCredentials = request.withCredentials || init.credentials === "include";
  return request.clone({ withCredentials, ...(bearer && { setHeaders: { Authorization: bearer } }) });
}

/** What the session has to know. The body is written out only for a `classify` that reads it. */
function summaryOf({ status, headers }: { status: number; headers: HttpHeaders }, body: unknown): Response {
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    controller.enqueue(new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)));
    controller.close();
  };
  return new Response(body ? new ReadableStream({ pull }, { highWaterMark: 0 }) : null, { status, headers: pairs(headers) });
}

const pairs = (headers: HttpHeaders) => headers.keys().map((name): [string, string] => [name, headers.get(name) ?? ""]);
