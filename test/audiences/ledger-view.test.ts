import { describe, expect, it } from "vitest";
import { audienceLedger } from "../../src/audiences/ledger-view.js";
import type { AudienceToken, LedgerRecord } from "../../src/ledger/record.js";
import { signedOut } from "../../src/ledger/transitions/index.js";
import { contextOver, liveRecord } from "../support/context.js";

const BILLING = "https://billing.test";

/** The ledger of a session, and the same as the audience `BILLING` sees it. `entry`: what is stored of that audience. */
async function setUp(entry?: unknown) {
  const test = contextOver();
  const { context, world, write } = test;
  const own = context.ledger;
  const now = context.clock.now();
  const audiences = { ...(entry !== undefined && { [BILLING]: entry as AudienceToken }), other: token("other") };
  const tokens = { accessToken: "own", refreshToken: "r1", audiences };
  const failure = { code: "server", attempt: 1, at: 1, retryAt: 2 } as const;
  await write(liveRecord(context, { tokens, failure, uncured: { "": uncured(5), [BILLING]: uncured(1) } }));
  const { ledger, project } = audienceLedger(BILLING, own);
  /** Makes a record of the one that the audience sees, and returns what is stored then. */
  async function change(make: (known: LedgerRecord) => LedgerRecord): Promise<LedgerRecord> {
    await world.clock.until(ledger.apply<void>((known) => ({ next: known && make(known) })));
    return world.stores.read("session") as LedgerRecord;
  }
  return { ...test, own, ledger, project, change, now, before: own.current! };
}

const uncured = (count: number) => ({ count, at: 1, asked: 1, judged: 1 });
const token = (accessToken: string): AudienceToken => ({ accessToken, issuedAt: 10, expiresAt: 20, dueAt: 15, version: 2, at: 9 });

describe("what an audience sees of the ledger", () => {
  it("is its token as if that were the session's own, with the refresh token that all share", async () => {
    const { ledger } = await setUp(token("billing"));
    expect(ledger.current).toMatchObject({
      ...{ issuedAt: 10, expiresAt: 20, dueAt: 15, renewed: { version: 2, at: 9 } },
      ...{ tokens: { accessToken: "billing", refreshToken: "r1" }, uncured: { "": { count: 1 } } },
      ...{ signedIn: true, version: 3 },
    });
    expect(ledger.current?.failure, "the session's own failure is none of its own").toBeUndefined();
    expect(ledger.current?.tokens?.audiences).toBeUndefined();
  });

  it("is a token that has long expired before the first one came, so that it is got when it is needed", async () => {
    const { ledger } = await setUp();
    expect(ledger.current).toMatchObject({ expiresAt: 0, dueAt: null, renewed: { version: 0, at: 0 } });
    expect(ledger.current?.tokens?.accessToken).toBeUndefined();
  });

  it.each([
    ["a token that is no text", { ...token("x"), accessToken: 7 }],
    ["a token that no request can have", { ...token("x"), accessToken: "a\nb" }],
    ["no number", { ...token("x"), expiresAt: "soon" }],
    ["a number that is none", { ...token("x"), at: Number.NaN }],
    ["a failure without a moment", { ...token("x"), failure: { attempt: 1, retryAt: 1 } }],
    ["no entry at all", null],
  ])("R10 is as good as none where %s came from storage, or from another tab", async (_, entry) => {
    const { ledger } = await setUp(entry);
    expect(ledger.current).toMatchObject({ expiresAt: 0, renewed: { version: 0 } });
  });

  it("is the same object as long as the record is: nothing is computed for each call", async () => {
    const { ledger, project, before } = await setUp(token("billing"));
    expect(ledger.current).toBe(ledger.current);
    expect(project(before)).toBe(ledger.current);
  });

  it("has no tokens where this tab has none", async () => {
    const { ledger, write, before } = await setUp(token("billing"));
    await write({ ...before, version: 4, by: "other", committedAt: 5, tokens: undefined, renewedBy: undefined });
    expect(ledger.current?.tokens).toBeUndefined();
  });
});

describe("what an audience changes in the ledger", () => {
  const committed = (known: LedgerRecord): LedgerRecord => ({
    ...known,
    ...{ version: 4, by: "tab 1", committedAt: 500, renewed: undefined, issuedAt: 500, expiresAt: 900, dueAt: 800, failure: undefined },
    tokens: { ...known.tokens, accessToken: "fresh", refreshToken: "r2" },
  });

  it("R2 is its own token, and the refresh token of all; the session's own token stays, and so do those of other audiences", async () => {
    const { change, before, ledger } = await setUp(token("billing"));
    const { tokens, ...after } = await change(committed);
    const { issuedAt, expiresAt, dueAt, failure, signedInAt } = before;
    expect(after).toMatchObject({ version: 4, committedAt: 500, issuedAt, expiresAt, dueAt, failure, signedInAt });
    expect(after.renewed, "the session's own token is of an earlier commit").toEqual({ version: 3, at: before.committedAt });
    expect([tokens?.accessToken, tokens?.refreshToken, tokens?.audiences?.other]).toEqual(["own", "r2", token("other")]);
    const entry = tokens?.audiences?.[BILLING];
    expect(entry).toMatchObject({ accessToken: "fresh", issuedAt: 500, expiresAt: 900, dueAt: 800, version: 4, at: 500 });
    expect(ledger.current?.tokens?.accessToken).toBe("fresh");
  });

  it("is the lease that all share", async () => {
    const { change } = await setUp();
    const refreshing = { tab: "tab 1", since: 7, timeout: 10_000 };
    expect(await change((known) => ({ ...known, fence: 3, refreshing, lost: true }))).toMatchObject({ fence: 3, refreshing, lost: true });
  });

  it("R21 is the pause that the server asked for, and R49 what APIs said of its own renewals", async () => {
    const { change } = await setUp();
    const after = await change((known) => ({ ...known, quietUntil: 99, uncured: { "": uncured(2) } }));
    expect([after.quietUntil, after.uncured?.[BILLING]?.count, after.uncured?.[""]?.count]).toEqual([99, 2, 5]);
  });

  it("is its own failure, and leaves the session's own", async () => {
    const { change, before, ledger } = await setUp(token("billing"));
    const failure = { code: "network", attempt: 3, at: 50, retryAt: 60 } as const;
    const after = await change((known) => ({ ...known, failure }));
    expect([after.failure, ledger.current?.failure]).toEqual([before.failure, failure]);
  });

  it("R20 is the end of all renewals when the server refuses the refresh token", async () => {
    const { change, before } = await setUp(token("billing"));
    const failure = { code: "rejected", attempt: 1, at: 50, retryAt: null } as const;
    const refused = await change((known) => ({
      ...known,
      ...{ final: true, renewedBy: undefined, dueAt: null, failure, tokens: { ...known.tokens, refreshToken: undefined } },
    }));
    expect(refused).toMatchObject({ final: true, dueAt: null, failure, expiresAt: before.expiresAt, tokens: { accessToken: "own" } });
    expect([refused.renewedBy, refused.tokens?.refreshToken]).toEqual([undefined, undefined]);
  });

  it("R41 is the end of the session, as it stands", async () => {
    const { change, now } = await setUp(token("billing"));
    const ended = await change((known) => signedOut(known, { now, tab: "tab 1", random: () => 0.5 }, "subject-changed"));
    expect(ended).toMatchObject({ signedIn: false, reason: "subject-changed", version: 4 });
    expect([ended.tokens, ended.uncured]).toEqual([undefined, undefined]);
  });

  it("is nothing where it changes nothing, and the outcome is handed on with the record that it sees", async () => {
    const { ledger, world } = await setUp(token("billing"));
    const writes = world.stores.writes.length;
    const applied = await world.clock.until(ledger.apply((known) => ({ outcome: known?.tokens?.accessToken ?? "none" })));
    expect([applied.outcome, applied.record, world.stores.writes.length]).toEqual(["billing", ledger.current, writes]);
  });
});

describe("the rest of an audience's ledger", () => {
  it("is the session's: how it is kept, and how it is read", async () => {
    const { ledger, own, world, before, now } = await setUp(token("billing"));
    expect([ledger.shared, ledger.persistent, ledger.read]).toEqual([own.shared, own.persistent, own.read]);
    world.stores.plant("session", { ...before, version: 4, by: "other", committedAt: now });
    await world.clock.until(ledger.read());
    expect(ledger.current?.version).toBe(4);
  });
});
