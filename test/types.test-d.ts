import { describe, expectTypeOf, it } from "vitest";
import {
  type Claims,
  createSession,
  idleLimit,
  isSessionError,
  oauth2,
  type RefreshContext,
  type Session,
  SessionError,
  type SessionErrorCode,
  type SignedOutReason,
  type Snapshot,
  type TokenSet,
} from "../src/index.js";

// Nothing here runs: tsc reads it. A line after @ts-expect-error that is right after all is an error.
type MyClaims = { sub: string; roles: string[] };
const refresh = () => "token";

describe("createSession", () => {
  it("makes a session of unknown claims, or of the app's own", () => {
    expectTypeOf(createSession({ refresh })).toEqualTypeOf<Session<Claims>>();
    const session = createSession<MyClaims>({ refresh });
    expectTypeOf(session).toEqualTypeOf<Session<MyClaims>>();
    expectTypeOf(session.getSnapshot().claims).toEqualTypeOf<Readonly<MyClaims> | null>();
    expectTypeOf(createSession({ refresh }).getSnapshot().claims?.sub).toEqualTypeOf<unknown>();
  });

  it("takes a strategy or a function, and nothing else", () => {
    createSession({ refresh: oauth2({ tokenEndpoint: "/token", clientId: "spa" }) });
    createSession({ refresh: async ({ tokens }) => ({ accessToken: tokens.accessToken, expiresIn: 60 }) });
    createSession({ refresh: () => ({ access_token: "a", expires_in: "60" }) });
    // @ts-expect-error there is no way to renew
    createSession({});
    // @ts-expect-error a number is no token
    createSession({ refresh: () => 1 });
    // @ts-expect-error a URL is no strategy
    createSession({ refresh: "/token" });
  });

  it("hands an own function its context", () => {
    createSession({
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
    createSession({ refresh, allowedOrigin: ["https://api.example.com"] });
    // @ts-expect-error one origin is still a list
    createSession({ refresh, allowedOrigins: "https://api.example.com" });
    // @ts-expect-error another place
    createSession({ refresh, persist: "localstorage" });
    // @ts-expect-error durations are numbers of milliseconds
    createSession({ refresh, refreshTimeout: "10s" });
    // @ts-expect-error not a verdict
    createSession({ refresh, classify: () => "retry" });
    createSession({ refresh, classify: async ({ response }) => (response?.status === 419 ? "refresh" : "ok") });
    createSession({ refresh, lead: ({ lifetime }) => lifetime / 10, jitter: 500 });
  });
});

describe("limits", () => {
  it("are durations, and an idle limit that is imported", () => {
    const session = createSession({
      refresh,
      maxAge: 3_600_000,
      idle: idleLimit({ after: 60_000 }),
      renewOnOpen: true,
      renewWhileHidden: false,
    });
    session.on("idle-warning", ({ endsAt, remaining }) => expectTypeOf([endsAt, remaining]).toEqualTypeOf<number[]>());
    session.on("idle-cancelled", () => {});
    expectTypeOf(session.touch).returns.toEqualTypeOf<void>();
    createSession({ refresh: () => ({ accessToken: "a", sessionExpiresIn: 60 }) });
    // @ts-expect-error a duration is no limit: it has to be imported
    createSession({ refresh, idle: 60_000 });
    // @ts-expect-error after is needed
    idleLimit({ warnBefore: 1000 });
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
  const session = createSession<MyClaims>({ refresh });

  it("names its events and types what they carry", () => {
    const undo = session.on("signed-out", ({ reason, possiblyLostRotation }) => {
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
    // @ts-expect-error no access token
    void session.signIn({ refresh_token: "r" });
    // @ts-expect-error a Response must be read first
    void session.signIn(new Response());
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
    // @ts-expect-error no such code
    new SessionError("oops", "");
  });
});
