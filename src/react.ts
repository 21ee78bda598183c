"use client";

import {
  createContext,
  createElement,
  type ReactNode,
  useContext,
  useEffect,
  useInsertionEffect,
  useMemo,
  useRef,
  useSyncExternalStore,
} from "react";
import type { Claims, Session, SessionEvents, Snapshot } from "./types/index.js";

/** The snapshot on a server, and so during hydration. */
const RESTORING: Snapshot<never> = {
  status: "restoring",
  claims: null,
  expiresAt: null,
  refreshDueAt: null,
  degraded: false,
};

// biome-ignore lint/suspicious/noExplicitAny: a session of any claims, which the type parameter does not allow.
type AnySession = Session<any>;

const SessionContext = /* @__PURE__ */ createContext<AnySession | null>(null);

/** The props of {@link SessionProvider}. */
export interface SessionProviderProps {
  /** The app makes it outside of rendering, in a module; on a server, once for each request. A later render may give another one. */
  session: AnySession;
  children?: ReactNode;
}

/** Gives a session to the hooks of the components below. It does not call `dispose()`. */
export function SessionProvider({ session, children }: SessionProviderProps): ReactNode {
  return createElement(SessionContext.Provider, { value: session }, children);
}

/**
 * The session itself, for handlers and effects: `signOut()`, `fetch`, … To render, use {@link useSession}.
 *
 * @throws {TypeError} without a `SessionProvider` above the component.
 */
export function useSessionInstance<C extends object = Claims>(): Session<C> {
  const session = useContext(SessionContext);
  if (!session) throw new TypeError("tokentide/react: there is no <SessionProvider session={…}> above this component");
  return session;
}

/**
 * Returns the snapshot, or the result of `selector`. The component renders again when the result changes. On a server and during hydration,
 * the status is `restoring`.
 *
 * No hook returns the token: a rendered token may have expired when the app sends it. Use `session.fetch`, or call `getToken()` in the handler
 * or the effect that sends it.
 *
 * @throws {TypeError} without a `SessionProvider` above the component.
 */
export function useSession<C extends object = Claims>(): Snapshot<C>;
export function useSession<T, C extends object = Claims>(selector: (snapshot: Snapshot<C>) => T): T;
export function useSession(selector: (snapshot: Snapshot) => unknown = whole): unknown {
  const session = useSessionInstance();
  const [here, onServer] = useMemo(() => [lastOf(selector, session.getSnapshot), lastOf(selector, () => RESTORING)], [selector, session]);
  return useSyncExternalStore(session.subscribe, here, onServer);
}

/**
 * Returns the claims; null while restoring, when signed out, and when neither token has claims.
 *
 * @throws {TypeError} without a `SessionProvider` above the component.
 */
export function useClaims<C extends object = Claims>(): Readonly<C> | null {
  return useSession<Readonly<C> | null, C>(claimsOf);
}

/**
 * Calls `handler` for each event while the component is mounted. It calls the handler of the last render.
 *
 * @throws {TypeError} without a `SessionProvider` above the component.
 */
export function useSessionEvent<E extends keyof SessionEvents<C>, C extends object = Claims>(
  event: E,
  handler: (payload: SessionEvents<C>[E]) => void,
): void {
  const session = useSessionInstance<C>();
  const latest = useRef(handler);
  useInsertionEffect(() => {
    latest.current = handler;
  });
  useEffect(() => session.on(event, (payload) => latest.current(payload)), [session, event]);
}

/**
 * Suspends until the session is restored or known to be signed out, at most 3 s.
 *
 * @throws {TypeError} without a `SessionProvider` above the component.
 */
export function useReady(): void {
  const session = useSessionInstance();
  const { ready } = session;
  if (session.getSnapshot().status !== "restoring" || settled.has(ready)) return;
  // Every version of React takes a thrown promise; `use` exists in 19 only. A session keeps the status `restoring` after `dispose()`.
  throw ready.then(() => settled.add(ready));
}

/** The props of {@link SessionGuard}. */
export interface SessionGuardProps {
  /** Rendered while the status is `signed-in`. */
  children?: ReactNode;
  /** Rendered while the status is `restoring`. @default nothing */
  restoring?: ReactNode;
  /** Rendered while the status is `signed-out`: for example, a redirect to the login page. @default nothing */
  signedOut?: ReactNode;
}

/**
 * Renders the prop for the status of the session, so no login page appears while the session is restored.
 *
 * @throws {TypeError} without a `SessionProvider` above the component.
 */
export function SessionGuard({ children, restoring, signedOut }: SessionGuardProps): ReactNode {
  const status = useSession(statusOf);
  return status === "signed-in" ? children : status === "restoring" ? restoring : signedOut;
}

const settled = new WeakSet<Promise<void>>();
const whole = (snapshot: Snapshot) => snapshot;
const statusOf = ({ status }: Snapshot) => status;
const claimsOf = <C extends object>({ claims }: Snapshot<C>) => claims;

/** Keeps the result for each snapshot, since a selector may return a new object at each call. */
function lastOf<T>(selector: (snapshot: Snapshot) => T, read: () => Snapshot): () => T {
  let from: Snapshot | undefined;
  let result: T;
  return () => {
    const snapshot = read();
    if (snapshot !== from) result = selector(snapshot);
    from = snapshot;
    return result;
  };
}
