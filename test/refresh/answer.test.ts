import { describe, expect, it } from "vitest";
import { SessionError } from "../../src/errors.js";
import { errorBehind, type LedgerRecord } from "../../src/ledger/record.js";
import { takeLease } from "../../src/ledger/transitions/index.js";
import { createAnswers } from "../../src/refresh/answer.js";
import type { Flight } from "../../src/refresh/flight.js";
import type { RefreshContext, TokenSet, Tokens } from "../../src/types/index.js";
import { type ContextOptions, contextOver, liveRecord } from "../support/context.js";

const TIMEOUT = 10_000;

/** A tab that holds the lease for a request, which is answered when the test says so. */
async function setUp(changes: Partial<LedgerRecord> = {}, { strategy, ...rest }: ContextOptions = {}) {
  const revoked: TokenSet[] = [];
  const sent: RefreshContext[] = [];
  let resolve!: (tokens: Tokens) => void;
  let reject!: (error: Error) => void;
  const refresh = (context: RefreshContext) => {
    sent.push(context);
    return new Promise<Tokens>((...settle) => {
      [resolve, reject] = settle;
    });
  };
  const revoke: NonNullable<ContextOptions["strategy"]>["revoke"] = async ({ tokens }) => revoked.push(tokens);
  const test = contextOver({ strategy: { refresh, revoke, ...strategy }, ...rest });
  const { context, world, write } = test;
  const { clock } = world;
  await write(liveRecord(context, changes));
  const base = context.ledger.current!;
  const moment = {
    now: context.clock.now(),
    deviceNow: clock.now(),
    monotonic: clock.monotonic(),
    tab: context.tab,
    alone: false,
    random: () => 0.5,
  };
  const lease = takeLease(base, TIMEOUT, moment);
  await write(lease);

  const over = new AbortController();
  const flight: Flight = {
    base,
    cause: "due",
    startedAt: context.clock.now(),
    begins: false,
    demanded: false,
    refused: false,
    ignoresBackoff: false,
    promise: new Promise(() => {}),
    over: over.signal,
    giveUp: new SessionError("busy", "a refresh is still under way"),
    writing: false,
    settle() {},
  };
  const answers = createAnswers(context);
  const begin = () => answers.run(flight, lease, clock.monotonic());
  /** What its turn comes to: the outcome, or the code of the error. */
  const outcome = async (turn: ReturnType<typeof begin>) => {
    const came = await clock.until(turn);
    return came instanceof SessionError ? came.code : came;
  };
  const current = () => context.ledger.current!;
  const [give, fail] = [(tokens: Tokens) => resolve(tokens), (error: Error) => reject(error)];
  return { ...test, clock, lease, over, flight, answers, begin, outcome, current, give, fail, sent, revoked };
}

const REFUSAL = new SessionError("rejected", "no", { status: 400 });
const FRESH = { access_token: "fresh", refresh_token: "next", expires_in: 60 };

describe("an answer", () => {
  it("R1 with tokens is written, and the other tabs are told", async () => {
    const { begin, outcome, give, current, context, posted, debug, events, sent } = await setUp();
    const turn = begin();
    expect(sent, "in the very task").toHaveLength(1);
    give(FRESH);
    expect(await outcome(turn)).toBe("refreshed");
    expect(current()).toMatchObject({ version: 4, by: context.tab, refreshing: undefined, tokens: { refreshToken: "next" } });
    expect(posted()).toMatchObject([{ type: "changed", record: { version: 4 } }]);
    events.flush();
    expect(debug).toEqual(["refresh-started", "refresh-committed"]);
  });

  it("R19 without tokens leaves the session, and tells the app why and when it is tried again", async () => {
    const { begin, outcome, fail, current, heard, clock, events } = await setUp();
    const turn = begin();
    fail(new SessionError("server", "down", { status: 503 }));
    expect(await outcome(turn)).toBe("server");
    events.flush();
    const { failure, signedIn, refreshing } = current();
    expect([signedIn, refreshing, failure]).toMatchObject([true, undefined, { code: "server", status: 503, attempt: 1 }]);
    const [payload] = heard.filter(([event]) => event === "refresh-failed").map(([, payload]) => payload);
    expect(payload).toEqual({ error: await turn, attempt: 1, retryAt: Math.round(failure!.retryAt!) });
    expect(failure!.retryAt! > clock.now()).toBe(true);
  });

  it("R20 that refuses ends the session for a caller who waits for a token, also one that joined meanwhile", async () => {
    const { begin, outcome, fail, current, flight } = await setUp();
    const turn = begin();
    flight.demanded = true;
    fail(REFUSAL);
    expect(await outcome(turn)).toBe("rejected");
    expect(current()).toMatchObject({ signedIn: false, reason: "rejected" });
  });

  it("R22 R45 that comes after the deadline is written all the same: it may be the only rotated token", async () => {
    const { begin, outcome, give, current, clock } = await setUp();
    const turn = begin();
    expect(await outcome(turn)).toBe("timeout");
    expect(current()).toMatchObject({ lost: false, failure: { code: "timeout" }, tokens: { accessToken: "access" } });
    expect(current().refreshing, "R84 the lease stays until takeoverAfter").toMatchObject({ late: true, timeout: 20_000 });
    await clock.advance(5_000);
    give(FRESH);
    await clock.advance(20);
    expect(current()).toMatchObject({ lost: false, tokens: { accessToken: "fresh", refreshToken: "next" } });
    expect(current().failure).toBeUndefined();
  });

  it("R84 that does not come until takeoverAfter is lost, and the lease is given back", async () => {
    const { begin, outcome, current, clock, posted } = await setUp();
    expect(await outcome(begin())).toBe("timeout");
    const { failure } = current();
    const told = posted().length;
    await clock.advance(20_020);
    expect(current()).toMatchObject({ lost: true, refreshing: undefined, failure });
    expect(posted()).toHaveLength(told + 1);
  });

  it("R84 a failure that comes late counts from then on, and the lease is given back", async () => {
    const { begin, outcome, fail, current, clock } = await setUp();
    expect(await outcome(begin())).toBe("timeout");
    fail(new SessionError("server", "down"));
    await clock.advance(20);
    expect(current()).toMatchObject({ lost: false, refreshing: undefined, failure: { code: "server", attempt: 1 } });
  });

  it("R22 with a reuseGrace, a failure after the deadline is no second failure", async () => {
    const { begin, outcome, fail, current, clock, heard, events } = await setUp(
      {},
      { options: { reuseGrace: 5_000, refreshTimeout: 1_000 } },
    );
    expect(await outcome(begin())).toBe("timeout");
    const { failure } = current();
    fail(new SessionError("server", "down"));
    await clock.advance(20);
    events.flush();
    expect([current().failure, heard.filter(([event]) => event === "refresh-failed").length]).toEqual([failure, 1]);
  });

  it("R45 is written, and told, when all callers have stopped waiting", async () => {
    const { begin, outcome, give, current, clock, over, debug, context, page } = await setUp();
    const turn = context.tabs.lock.hold(begin, 5_000, over.signal, false);
    await clock.advance(20);
    over.abort();
    expect(await outcome(turn as ReturnType<typeof begin>)).toBe(0);
    give(FRESH);
    await clock.advance(20);
    expect([current().tokens?.accessToken, debug.includes("refresh-committed"), page.timers.size]).toEqual(["fresh", true, 0]);
  });

  it("leaves no timer once the answers are stopped, and is written all the same", async () => {
    const { begin, answers, page, give, current, clock } = await setUp();
    void begin();
    expect(page.timers.size).toBe(2);
    answers.stop();
    await clock.advance(20);
    expect(page.timers.size).toBe(0);
    give(FRESH);
    await clock.advance(20);
    expect(current().tokens?.accessToken).toBe("fresh");
  });

  it("R25 of a session that has ended is given back to the server, and not written", async () => {
    const { begin, outcome, give, current, revoked, write, lease, clock, posted } = await setUp();
    const turn = begin();
    await write({ ...lease, signedIn: false, epoch: clock.now(), version: 9, tokens: undefined, refreshing: undefined });
    give(FRESH);
    expect(await outcome(turn)).toBe("signed-out");
    expect([current().version, current().signedIn, posted()]).toEqual([9, false, []]);
    expect(revoked).toMatchObject([{ accessToken: "fresh", refreshToken: "next" }]);
  });

  it.each([
    ["nobody has", false, 1],
    ["somebody else has", true, 0],
  ])(
    "R25 that has a cookie only is given back if %s signed in since: the cookie may be of the newer session",
    async (_, signedIn, count) => {
      const { begin, outcome, give, revoked, write, lease, clock } = await setUp({}, { strategy: { needsRefreshToken: false } });
      const turn = begin();
      await write({ ...lease, signedIn, epoch: clock.now(), version: 9, tokens: signedIn ? { accessToken: "theirs" } : undefined });
      give({ access_token: "fresh" });
      await outcome(turn);
      expect(revoked).toHaveLength(count);
    },
  );

  it("R3 is not written after another tab's commit, whose token the callers get", async () => {
    const { begin, outcome, give, current, write, lease, clock, revoked } = await setUp();
    const turn = begin();
    const theirs = { ...lease, version: 4, by: "other", committedAt: clock.now(), refreshing: undefined };
    await write({ ...theirs, tokens: { accessToken: "theirs", refreshToken: "r" } });
    give(FRESH);
    expect(await outcome(turn)).toBe("adopted");
    expect([current().tokens?.accessToken, revoked]).toEqual(["theirs", []]);
  });

  it("R3 that refuses waits, where no ledger orders the tabs, for a tab that was first and has a later token", async () => {
    const { begin, outcome, fail, current, clock, posted, context, lease } = await setUp({}, { lacks: { store: true } });
    const turn = begin();
    fail(REFUSAL);
    await clock.advance(10);
    expect(posted()).toMatchObject([{ type: "ask", version: lease.version + 1 }]);
    const theirs = { ...lease, version: 4, by: "other", committedAt: context.clock.now(), refreshing: undefined };
    await context.ledger.receive({ ...theirs, tokens: { accessToken: "theirs" } }, false);
    expect(await outcome(turn)).toBe("adopted");
    expect(current()).toMatchObject({ signedIn: true, tokens: { accessToken: "theirs" } });
  });

  it("R62 of no use leaves the refresh token that came with it, or gives it back where the session is over", async () => {
    const useless = { access_token: "a b", refresh_token: "next" };
    const { begin, outcome, give, current } = await setUp();
    const turn = begin();
    give(useless);
    expect(await outcome(turn)).toBe("invalid-response");
    expect(current()).toMatchObject({ version: 4, tokens: { accessToken: "access", refreshToken: "next" } });

    const ended = await setUp();
    const late = ended.begin();
    await ended.write({ ...ended.lease, signedIn: false, epoch: ended.clock.now(), tokens: undefined, refreshing: undefined });
    ended.give(useless);
    expect(await ended.outcome(late)).toBe("signed-out");
    expect(ended.revoked).toEqual([{ refreshToken: "next" }]);
  });

  it("tells the developer of a redirect, and of ten answers in a row that were neither tokens nor a refusal", async () => {
    const redirect = await setUp();
    const turn = redirect.begin();
    redirect.fail(new SessionError("server", "/token redirects to elsewhere", { status: 302 }));
    await redirect.outcome(turn);
    expect(redirect.page.reports.map(({ message }) => message)).toEqual(["/token redirects to elsewhere"]);

    const now = redirect.clock.now();
    const odd = await setUp({ failure: { code: "invalid-response", attempt: 9, at: now - 1, retryAt: now, odd: 9 } });
    const tenth = odd.begin();
    odd.give({} as Tokens);
    await odd.outcome(tenth);
    expect(odd.page.reports.map(({ message }) => message)).toEqual(["answer: ten answers were neither tokens nor a refusal"]);
  });

  it("R20 keeps the error behind the failure for the event of a sign-out in this tab", async () => {
    const { begin, outcome, fail, flight, changes } = await setUp();
    const turn = begin();
    flight.demanded = true;
    fail(REFUSAL);
    await outcome(turn);
    expect(errorBehind.get(changes.at(-1)!.record.failure!)).toBe(await turn);
  });
});
