import { DOCUMENT } from "@angular/common";
import { HttpContextToken, type HttpErrorResponse, type HttpInterceptorFn } from "@angular/common/http";
import {
  DestroyRef,
  type EnvironmentProviders,
  InjectionToken,
  inject,
  makeEnvironmentProviders,
  type Signal,
  signal,
} from "@angular/core";
import { catchError, defer, finalize, from, switchMap, throwError } from "rxjs";
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

export interface SessionInterceptorOptions {
  /** Origins that get the bearer; replaces the default, which is the page's own origin. Compared parsed. */
  allowedOrigins?: readonly string[];
}

/**
 * For `provideHttpClient(withInterceptors([sessionInterceptor()]))`: attaches the bearer, and sends once more, as the same user, when the
 * API answers 401. A request with an `Authorization` header of its own, or with {@link SKIP_SESSION}, is left alone.
 *
 * @throws {TypeError} when an allowed origin is not a URL.
 */
export function sessionInterceptor({ allowedOrigins }: SessionInterceptorOptions = {}): HttpInterceptorFn {
  const allowed = allowedOrigins?.map((origin) => new URL(origin).origin);
  return (request, next) => {
    const session = inject(SESSION);
    const { baseURI, location } = inject(DOCUMENT);
    const origins = allowed ?? [location.origin];
    if (
      request.context.get(SKIP_SESSION) ||
      request.headers.has("Authorization") ||
      !origins.includes(new URL(request.url, baseURI).origin)
    ) {
      return next(request);
    }
    const send = (token: string | null) =>
      next(token === null ? request : request.clone({ setHeaders: { Authorization: `Bearer ${token}` } }));
    return defer(() => {
      // What one user asked for is never sent as another.
      let another = false;
      const notice = () => {
        another = true;
      };
      const undo = [session.on("user-changed", notice), session.on("signed-out", notice)];
      return from(session.getToken().catch(() => null)).pipe(
        switchMap((sent) =>
          send(sent).pipe(
            catchError((error: HttpErrorResponse) => {
              if (sent === null || error.status !== 401) return throwError(() => error);
              return from(replace(session, sent)).pipe(
                switchMap((fresh) => (fresh === null || another ? throwError(() => error) : send(fresh))),
              );
            }),
          ),
        ),
        finalize(() => {
          for (const stop of undo) stop();
        }),
      );
    });
  };
}

/** Another token than the one that was refused: the one that came meanwhile, or a new one; null when none can be had now. */
async function replace(session: AnySession, refused: string): Promise<string | null> {
  const current = session.peekToken();
  if (current !== null && current !== refused) return current;
  await session.refresh().catch(() => {});
  const renewed = session.peekToken();
  return renewed === refused ? null : renewed;
}
