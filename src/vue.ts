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
import type { Claims, Session, SessionEvents, Snapshot } from "./types.js";

/** What a server knows, and so what a page is hydrated with. */
const RESTORING: Snapshot<never> = { status: "restoring", claims: null, expiresAt: null, refreshDueAt: null, degraded: false };

// biome-ignore lint/suspicious/noExplicitAny: a session of whatever claims, which the type parameter does not allow.
type AnySession = Session<any>;

/** The key under which the plugin provides the session: for providing another one to a part of the app, or in a test. */
export const sessionKey: InjectionKey<AnySession> = Symbol("tokentide");

/** `app.use(sessionPlugin, session)`. On a server, make an app and a session for each request. It does not dispose of the session. */
export const sessionPlugin: Plugin<[session: AnySession]> = {
  install(app, session) {
    app.provide(sessionKey, session);
  },
};

/**
 * The session itself, for what handlers do with it: `signOut()`, `fetch`. What is rendered comes from {@link useSession}.
 *
 * @throws {TypeError} without `app.use(sessionPlugin, session)`.
 */
export function useSessionInstance<C extends object = Claims>(): Session<C> {
  const session = inject(sessionKey, undefined);
  if (!session) throw new TypeError("tokentide/vue: call app.use(sessionPlugin, session) first");
  return session;
}

/** The members of a snapshot, each as a ref that changes with it. */
export type SessionRefs<C extends object = Claims> = { readonly [Member in keyof Snapshot<C>]-?: ComputedRef<Snapshot<C>[Member]> };

/**
 * What is known of the session, as refs, until the scope ends. It has the status `restoring` on a server and while a page is hydrated.
 *
 * There is no ref for the token: a token that was rendered may have expired when it is sent. Call `session.fetch`, or `getToken()` in the
 * handler that sends it.
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
  // A component that is to take over what a server rendered has an element before it is set up.
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

/** Calls `handler` at each such event until the scope ends. Never on a server. */
export function useSessionEvent<E extends keyof SessionEvents<C>, C extends object = Claims>(
  event: E,
  handler: (payload: SessionEvents<C>[E]) => void,
): void {
  const session = useSessionInstance<C>();
  if (!onServer()) onScopeDispose(session.on(event, handler));
}

/** Vue provides it to an app that is rendered to a string. */
const onServer = () => inject<unknown>(ssrContextKey, undefined) !== undefined;
