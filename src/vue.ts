import {
  type ComputedRef,
  computed,
  getCurrentInstance,
  type InjectionKey,
  inject,
  onMounted,
  onScopeDispose,
  type Plugin,
  shallowRef,
  ssrContextKey,
} from "vue";
import type { Claims, Session, SessionEvents, Snapshot } from "./types/index.js";

/** The snapshot on a server, and so during hydration. */
const RESTORING: Snapshot<never> = { status: "restoring", claims: null, expiresAt: null, refreshDueAt: null, degraded: false };

// biome-ignore lint/suspicious/noExplicitAny: a session of any claims, which the type parameter does not allow.
type AnySession = Session<any>;

/** The injection key of the session. A test, or a part of the app, may provide another session with it. */
export const sessionKey: InjectionKey<AnySession> = Symbol("tokentide");

/** `app.use(sessionPlugin, session)` provides the session. On a server, make an app and a session for each request. No `dispose()` is called. */
export const sessionPlugin: Plugin<[session: AnySession]> = {
  install(app, session) {
    app.provide(sessionKey, session);
  },
};

/**
 * The session itself, for handlers: `signOut()`, `fetch`, … To render, use {@link useSession}.
 *
 * @throws {TypeError} without `app.use(sessionPlugin, session)`.
 */
export function useSessionInstance<C extends object = Claims>(): Session<C> {
  const session = inject(sessionKey, undefined);
  if (!session) throw new TypeError("tokentide/vue: call app.use(sessionPlugin, session) first");
  return session;
}

/** The members of a snapshot, each as a read-only ref. */
export type SessionRefs<C extends object = Claims> = { readonly [Member in keyof Snapshot<C>]-?: ComputedRef<Snapshot<C>[Member]> };

/**
 * Returns the members of the snapshot as refs, which change until the scope ends. On a server and during hydration, the status is `restoring`.
 *
 * There is no ref for the token: a rendered token may have expired when the app sends it. Use `session.fetch`, or call `getToken()` in the
 * handler that sends it.
 *
 * @throws {TypeError} without `app.use(sessionPlugin, session)`.
 */
export function useSession<C extends object = Claims>(): SessionRefs<C> {
  const session = useSessionInstance<C>();
  const snapshot = shallowRef<Snapshot<C>>(RESTORING);
  const update = () => {
    snapshot.value = session.getSnapshot();
  };
  const start = () => {
    update();
    onScopeDispose(session.subscribe(update));
  };
  // During hydration, a component has an element before its set-up.
  if (getCurrentInstance()?.vnode.el) onMounted(start);
  else if (!onServer()) start();

  const ref = <Member extends keyof Snapshot<C>>(member: Member) => computed(() => snapshot.value[member]);
  return {
    status: ref("status"),
    claims: ref("claims"),
    expiresAt: ref("expiresAt"),
    refreshDueAt: ref("refreshDueAt"),
    degraded: ref("degraded"),
    reason: ref("reason"),
  };
}

/**
 * Calls `handler` for each event until the scope ends. It does nothing on a server.
 *
 * @throws {TypeError} without `app.use(sessionPlugin, session)`.
 */
export function useSessionEvent<E extends keyof SessionEvents<C>, C extends object = Claims>(
  event: E,
  handler: (payload: SessionEvents<C>[E]) => void,
): void {
  const session = useSessionInstance<C>();
  if (!onServer()) onScopeDispose(session.on(event, handler));
}

/** Vue provides this key to an app that it renders to a string. */
const onServer = () => inject<unknown>(ssrContextKey, undefined) !== undefined;
