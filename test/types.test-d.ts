import { describe, expectTypeOf, it } from "vitest";
import {
  audiences,
  autorefresh,
  type Claims,
  cookieSignIn,
  createSession,
  idleLimit,
  isSessionError,
  type MaxAge,
  maxAge,
  memory,
  oauth2,
  type RefreshContext,
  renewalHeader,
  type Session,
  SessionError,
  type SessionErrorCode,
  type SessionOptions,
  type SignedOutReason,
  type Snapshot,
  type TokenSet,
} from "../src/index.js";

// Nothing here runs: tsc reads it. A line after @ts-expect-error that is right after all is an error.
type MyClaims = { sub: string; roles: string[] };
const refresh = () => "token";

describe("createSession", () => {
  it("makes a session of unknown claims, or of the app's own", () => {
    expectTypeOf(createSession({ name: "app", refresh })).toEqualTypeOf<Session<Claims>>();
    const session = createSession<MyClaims>({ name: "app", refresh });
    expectTypeOf(session).toEqualTypeOf<Session<MyClaims>>();
    expectTypeOf(session.getSnapshot().claims).toEqualTypeOf<Readonly<MyClaims> | null>();
    expectTypeOf(createSession({ name: "app", refresh }).getSnapshot().claims?.sub).toEqualTypeOf<unknown>();
  });

  it("takes a strategy or a function, and nothing else", () => {
    createSession({ refresh: oauth2({ tokenEndpoint: "/token", clientId: "spa" }) });
    createSession({ name: "app", refresh: async ({ tokens }) => ({ accessToken: tokens.accessToken, expiresIn: 60 }) });
    createSession({ name: "app", refresh: () => ({ access_token: "a", expires_in: "60" }) });
    // @ts-expect-error a function has no id that tells two apps of one origin apart
    createSession({ refresh });
    createSession({ name: "app", refresh: oauth2({ tokenEndpoint: "/token", clientId: "spa" }) });
    createSession({ refresh: { id: "own", needsRefreshToken: false, refresh } });
    const either = (way: SessionOptions["refresh"], further: Partial<Omit<SessionOptions, "refresh">>) =>
      createSession({ name: "app", ...further, refresh: way });
    expectTypeOf(either).returns.toEqualTypeOf<Session<Claims>>();
    expectTypeOf({ refresh, name: "app" }).toExtend<SessionOptions>();
    expectTypeOf<{ maxAge: MaxAge }>().toExtend<Partial<SessionOptions>>();
    autorefresh({ refresh });
    // @ts-expect-error there is no way to renew
    createSession({});
    // @ts-expect-error a number is no token
    createSession({ name: "app", refresh: () => 1 });
    // @ts-expect-error a URL is no strategy
    createSession({ refresh: "/token" });
  });

  it("hands an own function its context", () => {
    createSession({
      name: "app",
      refresh(context) {
        expectTypeOf(context).toEqualTypeOf<RefreshContext>();
        expectTypeOf(context.tokens).toEqualTypeOf<Readonly<TokenSet>>();
        expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>();
        expectTypeOf(context.fetch).toEqualTypeOf<typeof fetch>();
        // @ts-expect-error the tokens are not the function's to change
        context.tokens.accessToken = "other";
        return "token";
      },
    });
  });

  it("refuses options it does not know or of the wrong type", () => {
    // @ts-expect-error a misspelling
    createSession({ name: "app", refresh, allowedOrigin: ["https://api.example.com"] });
    // @ts-expect-error one origin is still a list
    createSession({ name: "app", refresh, allowedOrigins: "https://api.example.com" });
    // @ts-expect-error another place
    createSession({ name: "app", refresh, persist: "localstorage" });
    // @ts-expect-error memory mode is imported
    createSession({ name: "app", refresh, persist: "memory" });
    createSession({ name: "app", refresh, persist: memory({ shareAccessToken: false }), cookieSignIn: cookieSignIn() });
    // @ts-expect-error a limit is imported
    createSession({ name: "app", refresh, maxAge: 3_600_000 });
    // @ts-expect-error not what `idleLimit` makes
    createSession({ name: "app", refresh, idle: maxAge(3_600_000) });
    // @ts-expect-error durations are numbers of milliseconds
    createSession({ name: "app", refresh, refreshTimeout: "10s" });
    // @ts-expect-error not a verdict
    createSession({ name: "app", refresh, classify: () => "retry" });
    createSession({ name: "app", refresh, classify: async ({ response }) => (response?.status === 419 ? "refresh" : "ok") });
    createSession({ name: "app", refresh, lead: ({ lifetime }) => lifetime / 10, jitter: 500 });
  });
});

describe("limits", () => {
  it("are durations, and an idle limit that is imported", () => {
    const session = createSession({
      name: "app",
      refresh,
      maxAge: maxAge(3_600_000),
      idle: idleLimit({ after: 60_000 }),
      renewOnOpen: true,
      renewWhileHidden: false,
    });
    session.on("idle-warning", ({ endsAt, remaining }) => expectTypeOf([endsAt, remaining]).toEqualTypeOf<number[]>());
    session.on("idle-cancelled", () => {});
    expectTypeOf(session.touch).returns.toEqualTypeOf<void>();
    createSession({ name: "app", refresh: () => ({ accessToken: "a", sessionExpiresIn: 60 }) });
    // @ts-expect-error a duration is no limit: it has to be imported
    createSession({ name: "app", refresh, idle: 60_000 });
    // @ts-expect-error after is needed
    idleLimit({ warnBefore: 1000 });
  });
});

describe("what plug-ins are", () => {
  it("is opaque, and fits its own option only", () => {
    const [idle, header, further] = [idleLimit({ after: 60_000 }), renewalHeader("x-renewed-token"), audiences({})] as const;
    createSession({ name: "app", refresh, idle, renewalHeader: header, audiences: further });
    // @ts-expect-error a header is no limit
    createSession({ name: "app", refresh, idle: header });
    // @ts-expect-error a limit is no header
    createSession({ name: "app", refresh, renewalHeader: idle });
    // @ts-expect-error a header is no audience
    createSession({ name: "app", refresh, audiences: header });
    // @ts-expect-error its members are internal
    void idle.watch;
  });
});

describe("oauth2", () => {
  it("needs an endpoint and a client", () => {
    // @ts-expect-error no client
    oauth2({ tokenEndpoint: "/token" });
    // @ts-expect-error no endpoint
    oauth2({ clientId: "spa" });
  });
});

describe("Session", () => {
  const session = createSession<MyClaims>({ name: "app", refresh });

  it("names its events and types what they carry", () => {
    const undo = session.on("signed-out", ({ reason, possiblyLostRotation, error }) => {
      expectTypeOf(error).toEqualTypeOf<SessionError | undefined>();
      expectTypeOf(reason).toEqualTypeOf<SignedOutReason>();
      expectTypeOf(possiblyLostRotation).toEqualTypeOf<boolean>();
    });
    expectTypeOf(undo).toEqualTypeOf<() => void>();
    session.on("user-changed", ({ before, after }) => {
      expectTypeOf(before).toEqualTypeOf<Readonly<MyClaims> | null>();
      expectTypeOf(after).toEqualTypeOf<Readonly<MyClaims> | null>();
    });
    session.on("refresh-failed", ({ error, retryAt }) => {
      expectTypeOf(error).toEqualTypeOf<SessionError>();
      expectTypeOf(retryAt).toEqualTypeOf<number | null>();
    });
    // @ts-expect-error no such event
    session.on("signedOut", () => {});
    // @ts-expect-error a payload never has the token
    session.on("refreshed", ({ accessToken }) => accessToken);
  });

  it("gives tokens, or null when signed out", () => {
    expectTypeOf(session.getToken).returns.resolves.toEqualTypeOf<string | null>();
    expectTypeOf(session.getToken).toBeCallableWith({ minValidity: 1000, signal: new AbortController().signal });
    expectTypeOf(session.getIdToken).returns.resolves.toEqualTypeOf<string | null>();
    expectTypeOf(session.peekToken()).toEqualTypeOf<string | null>();
    expectTypeOf(session.refresh).returns.resolves.toEqualTypeOf<"refreshed" | "adopted">();
    expectTypeOf(session.ready).resolves.toEqualTypeOf<void>();
  });

  it("has a fetch that is a drop-in for the global one, and cannot be replaced", () => {
    expectTypeOf(session.fetch).toEqualTypeOf<typeof globalThis.fetch>();
    // @ts-expect-error read-only
    session.fetch = fetch;
  });

  it("signs in with a response as it came, a token set, or a bare token", () => {
    expectTypeOf(session.signIn).toBeCallableWith({ access_token: "a", refresh_token: "r", expires_in: 60, token_type: "Bearer" });
    expectTypeOf(session.signIn).toBeCallableWith({ accessToken: "a", expiresIn: 60 });
    expectTypeOf(session.signIn).toBeCallableWith("a");
  });

  it("signs in with an answer that has the login's own names, R72", () => {
    interface Login {
      access: string;
      refresh: string;
    }
    const answer: Login = { access: "a", refresh: "r" };
    expectTypeOf(session.signIn).toBeCallableWith(answer);
    expectTypeOf(session.signIn).toBeCallableWith({ access: "a", refresh: "r" });
    expectTypeOf(session.signIn).toBeCallableWith({ data: { token: "a", renew: "r", seconds: 60 } });
    expectTypeOf(session.signIn).toBeCallableWith({ refresh_token: "r" });
    expectTypeOf(session.signIn).toBeCallableWith({ token: "a" } as Record<string, unknown>);
    expectTypeOf(session.signIn).toBeCallableWith({} as { access: string } | undefined);
    // @ts-expect-error a Response must be read first
    void session.signIn(new Response());
    void session.signIn({ access: "a", refresh: "r" });
    void session.signIn({ data: { token: "a" } });
    // @ts-expect-error a promise must be awaited
    void session.signIn(Promise.resolve(answer));
    // @ts-expect-error a number is no answer
    void session.signIn(1);
  });

  it("has snapshots that fit useSyncExternalStore", () => {
    const useSyncExternalStore = <T>(subscribe: (onChange: () => void) => () => void, getSnapshot: () => T): T => {
      subscribe(() => {})();
      return getSnapshot();
    };
    expectTypeOf(useSyncExternalStore(session.subscribe, session.getSnapshot)).toEqualTypeOf<Snapshot<MyClaims>>();
    // @ts-expect-error a snapshot is not changed, it is replaced
    session.getSnapshot().status = "signed-out";
  });
});

describe("SessionError", () => {
  it("has codes to switch on, also behind the guard", () => {
    const error: unknown = new SessionError("network", "no answer", { status: 502 });
    if (isSessionError(error)) expectTypeOf(error.code).toEqualTypeOf<SessionErrorCode>();
    expectTypeOf<"user-changed">().toExtend<SessionErrorCode>();
    // @ts-expect-error no such code
    new SessionError("oops", "");
  });
});
