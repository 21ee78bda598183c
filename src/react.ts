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
import type { Claims, Session, SessionEvents, Snapshot } from "./types.js";

/** What a server knows, and so what a page is hydrated with. */
const RESTORING: Snapshot<never> = {
  status: "restoring",
  claims: null,
  expiresAt: null,
  refreshDueAt: null,
  degraded: false,
};

// biome-ignore lint/suspicious/noExplicitAny: a session of whatever claims, which the type parameter does not allow.
type AnySession = Session<any>;

const SessionContext = /* @__PURE__ */ createContext<AnySession | null>(null);

export interface SessionProviderProps {
  /** Made outside of rendering, in a module; on a server, one for each request. Another one may be put in its place, as hot reloading does. */
  session: AnySession;
  children?: ReactNode;
}

/** Hands a session to the hooks below it. It does not dispose of it. */
export function SessionProvider({ session, children }: SessionProviderProps): ReactNode {
  return createElement(SessionContext.Provider, { value: session }, children);
}

/**
 * The session itself, for what handlers and effects do with it: `signOut()`, `fetch`. What is rendered comes from {@link useSession}.
 *
 * @throws {TypeError} without a `SessionProvider` above.
 */
export function useSessionInstance<C extends object = Claims>(): Session<C> {
  const session = useContext(SessionContext);
  if (!session) throw new TypeError("tokentide/react: there is no <SessionProvider session={…}> above this component");
  return session;
}

/**
 * The snapshot, or what `selector` takes from it: the component renders again when that changes. It is that of the status `restoring` on a
 * server and while a page is hydrated.
 *
 * There is no hook for the token: a token that was rendered may have expired when it is sent. Call `session.fetch`, or `getToken()` in the
 * handler or the effect that sends it.
 */
export function useSession<C extends object = Claims>(): Snapshot<C>;
export function useSession<T, C extends object = Claims>(selector: (snapshot: Snapshot<C>) => T): T;
export function useSession(selector: (snapshot: Snapshot) => unknown = whole): unknown {
  const session = useSessionInstance();
  const [here, onServer] = useMemo(() => [lastOf(selector, session.getSnapshot), lastOf(selector, () => RESTORING)], [selector, session]);
  return useSyncExternalStore(session.subscribe, here, onServer);
}

/** The claims; null while restoring, when signed out, and when the tokens say nothing about the user. */
export function useClaims<C extends object = Claims>(): Readonly<C> | null {
  return useSession<Readonly<C> | null, C>(claimsOf);
}

/** Calls `handler`, always that of the last render, at each such event while the component is mounted. */
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

/** Suspends until the session is restored, or known to be signed out: within 3 s. */
export function useReady(): void {
  const session = useSessionInstance();
  const { ready } = session;
  if (session.getSnapshot().status !== "restoring" || settled.has(ready)) return;
  // Every version takes a thrown promise; `use` exists in 19 only. A session that was disposed of while restoring stays at that status.
  throw ready.then(() => settled.add(ready));
}

export interface SessionGuardProps {
  /** For somebody signed in. */
  children?: ReactNode;
  /** Until it is known whether anybody is; nothing by default. */
  restoring?: ReactNode;
  /** For nobody: a redirect to the login page, say. */
  signedOut?: ReactNode;
}

/** Shows its children to somebody signed in only, and no login page to somebody whose session is still being restored. */
export function SessionGuard({ children, restoring, signedOut }: SessionGuardProps): ReactNode {
  const status = useSession(statusOf);
  return status === "signed-in" ? children : status === "restoring" ? restoring : signedOut;
}

const settled = new WeakSet<Promise<void>>();
const whole = (snapshot: Snapshot) => snapshot;
const statusOf = ({ status }: Snapshot) => status;
const claimsOf = <C extends object>({ claims }: Snapshot<C>) => claims;

/** The same result for the same snapshot, also of a selector that makes a new object each time. */
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
