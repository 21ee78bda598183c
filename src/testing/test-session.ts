import { createSession } from "../session/session.js";
import { oauth2 } from "../strategies/oauth2.js";
import type { Claims, Session, SessionOptions } from "../types/index.js";
import { START, Clock as VirtualClock } from "./clock.js";
import type { GrantOptions } from "./grants.js";
import type { Clock, TokenServer, World, WorldTab } from "./public.js";
import { TokenServer as StrictServer } from "./token-server.js";
import { World as VirtualWorld } from "./world.js";

export interface TestSessionOptions extends Partial<Omit<SessionOptions, "refresh" | "environment" | "dpop">> {
  /** The session's first status. With `"restoring"` the session is signed in after `restore()`. @default "signed-in" */
  state?: "signed-in" | "signed-out" | "restoring";
  /** The user's claims, in addition to the claims that every token has. @default `sub` is "ada" */
  claims?: Claims;
  /** Answers the requests with a valid bearer, for instance `fetch`. The other requests get a 401. @default 200 with the user as JSON */
  api?: (request: Request) => Response | Promise<Response>;
  /** How the server issues tokens, for instance their lifetime. @default the defaults of `GrantOptions` */
  server?: Partial<GrantOptions>;
  /** The clock's first instant, in epoch milliseconds. @default 2030-01-01T00:00:00Z */
  now?: number;
}

/** A tab with the app's session. */
export interface TestTab<C extends object = Claims> {
  /** A real session, in the tab's virtual environment. */
  readonly session: Session<C>;
  /** The tab, with everything that can happen to a page: `freeze()`, `close()`, `crash()`, `offline`, `signal("wake")` and more. */
  readonly tab: WorldTab;
}

/** The session of the first tab, with its clock, server and browser. Each function also works without its object, as after destructuring. */
export interface TestSession<C extends object = Claims> extends TestTab<C> {
  /** Time passes only when the test moves the clock: `await clock.advance(60_000)`. Tasks without a delay run by themselves. */
  readonly clock: Clock;
  /** The authorization server and the API. A test reads their requests here, and sets their answers and faults. */
  readonly server: TokenServer;
  /** The browser with the tabs, and with their storage, locks, channels and network. */
  readonly world: World;
  /** Signs a user in, in the first tab: `signIn({ sub: "bob" })`. @default the user of `claims` */
  signIn(claims?: Claims): Promise<void>;
  /** Ends the status `"restoring"`. Resolves when the session is ready. */
  restore(): Promise<void>;
  /**
   * Lets time pass until one second before the next renewal is due. Without a planned renewal, the token's expiry counts.
   *
   * @throws when the session has no token that could expire.
   */
  aboutToExpire(): Promise<void>;
  /**
   * Lets the device sleep until the token has expired. The page gets no signal.
   *
   * @throws when the session has no token that could expire.
   */
  expire(): Promise<void>;
  /** Ends all sessions at the server, and lets the first tab ask for a token. Afterwards the tab is signed out, unless it is offline. */
  reject(): Promise<void>;
  /** Takes the network from all tabs. */
  goOffline(): void;
  /** Gives the network back to all tabs. Each living tab gets the signal `online`. */
  goOnline(): Promise<void>;
  /** Opens another tab of the same browser. Resolves when its session is ready. `prerendering`: the user opens it by `tab.activate()`. @default `prerendering` is false */
  openTab(options?: { prerendering?: boolean }): Promise<TestTab<C>>;
  /** Disposes of the sessions of all tabs. */
  dispose(): void;
}

/**
 * Creates a real session in a virtual browser, with a virtual server. The server is strict: a refresh token can be used once, and a second use
 * ends the session. No request leaves the process, and no real time passes.
 *
 * @param options all options of `createSession` but `refresh` and `environment`, and the options of the virtual world.
 * @throws as `createSession` does, and when an option of `server` is unknown.
 */
export async function createTestSession<C extends object = Claims>(options: TestSessionOptions = {}): Promise<TestSession<C>> {
  const { state = "signed-in", claims = {}, api, server: grants = {}, now = START, ...rest } = options;
  const clock = new VirtualClock(2, { start: now, immediate: true });
  const server = new StrictServer({ clock, ...grants });
  server.api = api;
  const world = new VirtualWorld({ clock, server: server.handle, instant: true });
  const pages: TestTab<C>[] = [];

  function open(tab: WorldTab): TestTab<C> {
    const { tokenEndpoint, revocationEndpoint } = server;
    const refresh = oauth2({ tokenEndpoint, revocationEndpoint, clientId: "spa" });
    const page = { session: createSession<C>({ ...rest, refresh, environment: tab.environment }), tab };
    pages.push(page);
    return page;
  }

  async function openTab({ prerendering = false } = {}): Promise<TestTab<C>> {
    const tab = world.tab();
    tab.prerendering = prerendering;
    const page = open(tab);
    await page.session.ready;
    return page;
  }

  const signInTo = ({ session }: TestTab<C>, who: Claims) => session.signIn(server.signIn(String(who.sub ?? "ada"), who));

  async function begin(): Promise<TestTab<C>> {
    const first = await openTab();
    if (state !== "signed-out") await signInTo(first, claims);
    if (state !== "restoring") return first;
    first.session.dispose();
    first.tab.close();
    const tab = world.tab();
    tab.freeze();
    return open(tab);
  }

  const page = await begin();
  const { session, tab } = page;

  function untilExpiry(moment: "refreshDueAt" | "expiresAt"): number {
    const { status, refreshDueAt, expiresAt } = session.getSnapshot();
    const at = (moment === "refreshDueAt" ? refreshDueAt : null) ?? expiresAt;
    if (at === null) throw new Error(`tokentide/testing: the session is ${status}, and has no token that could expire`);
    return Math.max(0, at - clock.now());
  }

  return {
    ...page,
    clock,
    server,
    world,
    signIn: (who = claims) => signInTo(page, who),
    async restore() {
      tab.thaw();
      await session.ready;
    },
    aboutToExpire: async () => clock.advance(Math.max(0, untilExpiry("refreshDueAt") - 1_000)),
    expire: async () => clock.sleep(untilExpiry("expiresAt")),
    async reject() {
      server.grants.revoke();
      await session.refresh().catch(() => {});
    },
    goOffline() {
      world.network.offline = true;
    },
    async goOnline() {
      world.network.offline = false;
      for (const living of world.living()) living.signal("online");
      await clock.advance(0);
    },
    openTab,
    dispose() {
      for (const { session } of pages) session.dispose();
    },
  };
}
