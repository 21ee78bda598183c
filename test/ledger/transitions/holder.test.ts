import { describe, expect, it } from "vitest";
import { SessionError, type SessionErrorCode, type SessionErrorDetails } from "../../../src/errors.js";
import type { LedgerRecord } from "../../../src/ledger/record.js";
import type { IssueOptions } from "../../../src/ledger/tokens-issued.js";
import { type Answer, commit, type Failed, fail } from "../../../src/ledger/transitions/holder.js";
import { takeLease } from "../../../src/ledger/transitions/index.js";
import { makeJwt } from "../../../src/testing/jwt.js";
import type { TokenSet } from "../../../src/types/index.js";
import { moment, options, record, uncured } from "../records.js";

const { now } = moment();
/** The record while `tab 2` refreshes. */
const leased = (changes: Partial<LedgerRecord> = {}) => takeLease(record(changes), 10_000, moment({ now: now - 2_000 }));
const tokens: TokenSet = { accessToken: "access 2", refreshToken: "refresh 2", expiresIn: 60 };

interface Situation {
  lease?: LedgerRecord;
  begins?: boolean;
}

const committed = (
  known: LedgerRecord | undefined,
  { lease = leased(), begins = false, ...answer }: Situation & Partial<Answer> = {},
  how: IssueOptions = options,
) => commit({ lease, begins }, { tokens, age: 2_000, refused: false, ...answer }, how)(known, moment());

const failed = (
  known: LedgerRecord | undefined,
  code: SessionErrorCode,
  {
    lease = leased(),
    begins = false,
    status,
    retryAfter,
    lost,
    ...how
  }: Situation & Omit<SessionErrorDetails, "attempt"> & Partial<Omit<Failed, "error">> = {},
) => {
  const error = new SessionError(code, "failed", { status, retryAfter, lost });
  return fail({ lease, begins }, { error, attempt: 1, demanded: false, ...how })(known, moment());
};

describe("commit", () => {
  it("R1 writes the tokens, releases the lease, and tells the record that it has written", () => {
    const failure = { code: "server", attempt: 1, at: 3_000, retryAt: 9_000 } as const;
    const { next, outcome } = committed(leased({ failure, quietUntil: 50_000, lost: true }));
    expect(outcome).toBe(next);
    expect(next).toMatchObject({ epoch: 7, version: 4, fence: 3, by: "tab 2", committedAt: now, expiresAt: now + 58_000, lost: false });
    expect([next?.refreshing, next?.failure, next?.quietUntil]).toEqual([undefined, undefined, undefined]);
    expect(next?.tokens).toMatchObject({ accessToken: "access 2", refreshToken: "refresh 2" });
  });

  it("R49 notes that the token was renewed for a refusal, at the moment of the commit itself", () => {
    expect(committed(leased(), { refused: true }).next?.uncured).toEqual({ "": { count: 0, at: now, asked: now, judged: 0 } });
    const before = uncured(3).uncured;
    expect(committed(leased({ uncured: before }), { refused: true }).next?.uncured?.[""]).toMatchObject({ count: 3, asked: now });
    expect(committed(leased({ uncured: before })).next?.uncured).toEqual(before);
  });

  it("R44 never merges another user's answer into the session: it ends", () => {
    const [ada, grace] = ["ada", "grace"].map((sub) => makeJwt({ sub, exp: 4_000 }));
    const lease = leased({ tokens: { accessToken: ada, refreshToken: "refresh" } });
    const answer = { lease, tokens: { ...tokens, accessToken: grace } };
    expect(committed(lease, answer).outcome).toMatchObject({ signedIn: false, reason: "subject-changed" });
    expect(committed(lease, answer).next?.tokens).toBeUndefined();
    expect(committed(lease, { ...answer, begins: true }).next?.tokens?.accessToken, "a sign-in").toBe(grace);
    expect(committed(lease, answer, { ...options, readClaims: false }).next?.signedIn, "without claims").toBe(true);
  });

  it("R25 writes nothing to another session, nor where there is none, and leaves another tab's lease", () => {
    const other = leased({ epoch: 8, fence: 6 });
    expect(committed(other)).toEqual({ next: undefined, outcome: undefined });
    expect(committed(undefined)).toEqual({ outcome: undefined, next: undefined });
  });

  it("R9 releases its lease on a session that began without one of its own: the next tab need not wait", () => {
    const begun = { ...leased(), epoch: 8, renewedBy: undefined };
    expect(committed(begun)).toEqual({ next: { ...begun, refreshing: undefined }, outcome: undefined });
  });

  it("R9 of a sign-in by a cookie releases the lease, which a sign-in by tokens would leave", () => {
    const byCookie = { ...options, strategy: { needsRefreshToken: false } };
    const { outcome } = committed(leased(), { begins: true, tokens: { accessToken: "access 2" } }, byCookie);
    expect([outcome?.signedIn, outcome?.refreshing]).toEqual([true, undefined]);
  });

  it("R25 of a sign-in goes on when the session before it ended, unless the user ended it", () => {
    const over = (reason: "expired" | "user", changes = {}) =>
      record({ epoch: 8, signedIn: false, reason, tokens: undefined, final: true, ...changes });
    expect(committed(over("expired"), { begins: true }).outcome).toMatchObject({ signedIn: true, version: 4 });
    expect(committed(over("user"), { begins: true }).outcome).toBeUndefined();
    expect(committed(over("expired")).outcome, "a renewal").toBeUndefined();
    expect(committed(over("expired", { refreshing: leased().refreshing }), { begins: true }).outcome, "another sign-in").toBeUndefined();
  });
});

describe("fail", () => {
  it("R18 releases the lease, keeps the session, and plans the next attempt", () => {
    const { next, outcome } = failed(leased(), "network", { attempt: 2, demanded: true });
    expect(outcome).toBe(next);
    expect(next).toEqual({
      ...leased(),
      refreshing: undefined,
      failure: { code: "network", status: undefined, attempt: 2, at: now, retryAt: expect.any(Number), odd: 0 },
    });
    expect(next?.failure?.retryAt).toBeGreaterThan(now);
  });

  it("R23 remembers that an answer was lost, until the next commit, and tries once more soon", () => {
    const once = failed(leased(), "timeout", { lost: true }).next;
    expect(once?.lost).toBe(true);
    expect(once?.failure?.retryAt).toBeLessThanOrEqual(now + 2_000);
    const again = failed(leased({ lost: true }), "timeout", { lost: true }).next;
    expect(again?.failure?.retryAt).toBeGreaterThan(now + 2_000);
    expect(failed(leased({ lost: true }), "server").next?.lost).toBe(true);
  });

  it("R20 of a refusal ends the session for a caller, and once the token has expired", () => {
    const refused = { signedIn: false, reason: "rejected", failure: { code: "rejected", status: 400 }, lost: true };
    expect(failed(leased({ lost: true }), "rejected", { status: 400, demanded: true }).next).toMatchObject(refused);
    const expired = leased({ expiresAt: now, lost: true });
    expect(failed(expired, "rejected", { lease: expired, status: 400 }).next).toMatchObject(refused);
  });

  it("R20 of a refusal lets the token serve that is still valid: without its refresh token, and without a plan", () => {
    const { next } = failed(leased(), "rejected");
    expect(next).toMatchObject({
      ...{ signedIn: true, final: true, dueAt: null, version: 3 },
      failure: { code: "rejected", retryAt: null },
    });
    expect([next?.renewedBy, next?.tokens]).toEqual([undefined, { accessToken: "access", refreshToken: undefined }]);
  });

  it("of a mistake in the set-up plans nothing, which another attempt does not mend", () => {
    expect(failed(leased(), "configuration").next).toMatchObject({ signedIn: true, final: false, failure: { retryAt: null } });
  });

  it("R63 counts the answers in a row that were neither tokens nor a refusal", () => {
    const before = leased({ failure: { code: "invalid-response", attempt: 4, at: 3_000, retryAt: 9_000, odd: 4 } });
    const odd = (code: SessionErrorCode, status?: number) => failed(before, code, { lease: before, status }).next?.failure?.odd;
    expect([odd("invalid-response"), odd("unsupported-token-type"), odd("server", 200), odd("server", 404)]).toEqual([5, 5, 5, 5]);
    expect([odd("server", 503), odd("server", 408), odd("server", 429), odd("network"), odd("throttled", 429)]).toEqual([0, 0, 0, 0, 0]);
    expect(failed(leased(), "invalid-response").next?.failure?.odd).toBe(1);
  });

  it("R62 keeps the refresh token of an answer that is of no use otherwise: as a commit, of which the access token is not", () => {
    const { next, outcome } = failed(leased({ lost: true }), "invalid-response", { refreshToken: "refresh 2" });
    expect(outcome).toBe(next);
    expect(next).toMatchObject({
      ...{ version: 4, by: "tab 2", committedAt: now, lost: false, renewed: { version: 3, at: 2_000 } },
      ...{ tokens: { accessToken: "access", refreshToken: "refresh 2" }, failure: { code: "invalid-response" } },
    });
    const late = failed({ ...leased(), refreshing: undefined }, "invalid-response", { refreshToken: "refresh 2" });
    expect(late.next?.tokens?.refreshToken, "after the deadline").toBe("refresh 2");
  });

  it("R45 the deadline's failure stands, and the answer's own, which comes after it, is not written", () => {
    expect(failed({ ...leased(), refreshing: undefined }, "server")).toEqual({ next: undefined, outcome: undefined });
  });

  it("R21 R64 the server's wish that all tabs wait is noted, however late it comes, and whoever holds the lease", () => {
    expect(failed(leased(), "throttled", { retryAfter: 30_000 }).next?.quietUntil).toBe(now + 30_000);
    const done = record({ version: 4, committedAt: 39_000 });
    expect(failed(done, "throttled", { retryAfter: 30_000 })).toEqual({ next: { ...done, quietUntil: now + 30_000 }, outcome: undefined });
    expect(failed(leased({ quietUntil: 45_000 }), "server").next?.quietUntil, "the earlier wish").toBe(45_000);
  });

  it("R25 does nothing to another session", () => {
    const other = record({ epoch: 8 });
    expect(failed(other, "rejected", { demanded: true })).toEqual({ next: undefined, outcome: undefined });
    expect(failed(undefined, "rejected", { demanded: true })).toEqual({ next: undefined, outcome: undefined });
  });

  it("of a sign-in without a session before it leaves no failure: its caller is told", () => {
    const nobody = leased({ signedIn: false, tokens: undefined, final: true, renewedBy: undefined });
    const { next } = failed(nobody, "rejected", { lease: nobody, begins: true, demanded: true, retryAfter: 5_000 });
    expect(next).toEqual({ ...nobody, refreshing: undefined, quietUntil: now + 5_000 });
  });
});
