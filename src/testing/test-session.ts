import { createSession } from "../session/session.js";
import { oauth2 } from "../strategies/oauth2.js";
import type { Claims, Session, SessionOptions } from "../types.js";
import { Clock, START } from "./clock.js";
import type { GrantOptions } from "./grants.js";
import { TokenServer } from "./token-server.js";
import { World, type WorldTab } from "./world.js";

export interface TestSessionOptions extends Partial<Omit<SessionOptions, "refresh" | "environment">> {
  /** How it begins; `"restoring"` is signed in as well, once `restore()` is called. @default "signed-in" */
  state?: "signed-in" | "signed-out" | "restoring";
  /** Claims of the user, beside those that every token has. @default `sub` is "ada" */
  claims?: Claims;
  /** What answers requests with a valid bearer, `fetch` for instance; others get a 401. @default 200 and who the user is, as JSON */
  api?: (request: Request) => Response | Promise<Response>;
  /** How the server gives tokens out: how long they live, whether they are JWTs, … */
  server?: Partial<GrantOptions>;
  /** Epoch milliseconds at which the clock begins. @default 2030-01-01 */
  now?: number;
}

/** A page of the app. */
export interface TestTab<C extends object = Claims> {
  readonly session: Session<C>;
  /** What can happen to a page: `freeze()`, `close()`, `crash()`, `offline`, `signal("wake")`, … */
  readonly tab: WorldTab;
}

/** No member needs a `this`. */
export interface TestSession<C extends object = Claims> extends TestTab<C> {
  /** Time stands still unless it is moved: `await clock.advance(60_000)`. What takes no time happens by itself. */
  readonly clock: Clock;
  /** The authorization server, and the API: what was asked of them, what they shall answer. */
  readonly server: TokenServer;
  /** The browser that the tabs are in: their storage, locks, channels and network. */
  readonly world: World;
  /** Somebody signs in: `signIn({ sub: "bob" })` is another user. */
  signIn(claims?: Claims): Promise<void>;
  /** Ends `state: "restoring"`. */
  restore(): Promise<void>;
  /** Time goes on until one second before the next renewal is due, or where none is planned, before the token expires. */
  aboutToExpire(): Promise<void>;
  /** The device sleeps until the token has expired. The page has not noticed yet. */
  expire(): Promise<void>;
  /** The server ends the session and refuses to renew it; by then the page knows, unless it is offline. */
  reject(): Promise<void>;
  goOffline(): void;
  /** The pages are told, as a browser does it. */
  goOnline(): Promise<void>;
  /** Another tab of the same app, restored as far as it can be. */
  openTab(): Promise<TestTab<C>>;
  /** Disposes of the sessions in all tabs. */
  dispose(): void;
}

/**
 * A real session in a virtual browser, with a virtual server that is strict: refresh tokens are good for one use, and who presents a used one
 * loses the session. No request leaves the process, and no real time passes.
 */
export async function createTestSession<C extends object = Claims>(options: TestSessionOptions = {}): Promise<TestSession<C>> {
  const { state = "signed-in", claims = {}, api, server: grants = {}, now = START, ...rest } = options;
  const clock = new Clock(2, { start: now, immediate: true });
  const server = new TokenServer({ clock, ...grants });
  server.api = api;
  const world = new World({ clock, server: server.handle, instant: true });
  const pages: TestTab<C>[] = [];

  function open(tab: WorldTab): TestTab<C> {
    const { tokenEndpoint, revocationEndpoint } = server;
    const refresh = oauth2({ tokenEndpoint, revocationEndpoint, clientId: "spa" });
    const page = { session: createSession<C>({ ...rest, refresh, environment: tab.environment }), tab };
    pages.push(page);
    return page;
  }

  async function openTab(): Promise<TestTab<C>> {
    const page = open(world.tab());
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
