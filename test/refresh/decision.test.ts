import { describe, expect, it } from "vitest";
import { SessionError } from "../../src/errors.js";
import type { Failure, LedgerRecord } from "../../src/ledger/record.js";
import { type Decision, decide, type RefreshRequest } from "../../src/refresh/decision.js";
import type { RefreshCause } from "../../src/types/index.js";
import { record } from "../ledger/records.js";

const NOW = 40_000;
const base = record();
type Asked = Partial<RefreshRequest> & { cause?: RefreshCause; networkIsBack?: boolean };

/** What is asked for by a cause alone, as the refresher asks for it. */
const request = ({ cause = "expired", networkIsBack = false, ...changes }: Asked): RefreshRequest => ({
  base,
  cause,
  startedAt: NOW - 10,
  begins: cause === "sign-in",
  demanded: cause !== "due",
  refused: cause === "unauthorized",
  ignoresBackoff: cause === "requested" || networkIsBack,
  ...changes,
});
const on = (known: LedgerRecord | undefined, asked: Asked = {}, now = NOW): Decision => decide(known, request(asked), now);
/** In a word: what is done, or why it is not. */
function said(decision: Decision): string {
  if (typeof decision === "string") return decision;
  if (typeof decision === "number") return `wait ${decision}`;
  return decision instanceof SessionError ? decision.code : `ask-owner for ${decision.askOwner}`;
}
const rule = (known: LedgerRecord | undefined, asked: Asked = {}, now = NOW): string => said(on(known, asked, now));
const failure = (changes: Partial<Failure> = {}): Failure => ({
  code: "server",
  attempt: 1,
  at: 39_000,
  retryAt: 60_000,
  ...changes,
});
const CAUSES = ["due", "expired", "unauthorized", "requested"] as const;

describe("what a tab does when it has its turn", () => {
  it("refreshes, when nothing has happened since", () => {
    expect(rule(record())).toBe("refresh");
  });

  it("R2 adopts, when there is a newer version with its token", () => {
    for (const cause of CAUSES) expect(rule(record({ version: 4, committedAt: 20_000 }), { cause })).toBe("adopted");
    expect(rule(record({ epoch: 8, version: 4 })), "of another session").toBe("adopted");
  });

  it("R2 does not adopt a newer token that has expired meanwhile", () => {
    expect(rule(record({ version: 4, committedAt: 20_000, expiresAt: NOW }))).toBe("refresh");
  });

  it("R1 adopts no token as a newer one that only counts higher: a tab without storage counts anew what it hears", () => {
    expect(rule(record({ version: 4 }))).toBe("refresh");
  });

  it("asks the owner for the version that it can use, when the token or the means are in another tab", () => {
    expect(rule(record({ version: 4, committedAt: 20_000, tokens: undefined })), "of the newer token").toBe("ask-owner for 4");
    expect(rule(record({ tokens: undefined })), "of the token that it lacks").toBe("ask-owner for 3");
    expect(rule(record({ tokens: { accessToken: "a" } })), "of the next token").toBe("ask-owner for 4");
    const expired = record({ version: 4, committedAt: 20_000, expiresAt: NOW, tokens: { accessToken: "a" } });
    expect(rule(expired), "of a newer token that has expired").toBe("ask-owner for 4");
  });

  it("R25 gives up, when the session ended or is another one", () => {
    for (const cause of CAUSES) {
      expect(rule(record({ signedIn: false }), { cause })).toBe("gone");
      expect(rule(record({ epoch: 8, version: 4, tokens: undefined }), { cause })).toBe("gone");
      expect(rule(undefined, { cause })).toBe("gone");
    }
  });

  it("R20 fails, when no tab can renew any more", () => {
    expect(rule(record({ final: true }))).toBe("not-renewable");
    expect(rule(record({ renewedBy: "accessToken" }))).toBe("refresh");
    expect(rule(record({ renewedBy: "accessToken", expiresAt: NOW }))).toBe("not-renewable");
  });

  it("R13 leaves a token alone that is younger than the floor, unless the app asks; a caller who needs another one waits for the rest", () => {
    const young = record({ committedAt: NOW - 900 });
    expect(rule(young, { cause: "due" })).toBe("young");
    for (const cause of ["expired", "unauthorized"] as const) expect(rule(young, { cause })).toBe("wait 100");
    expect(rule(young, { cause: "due", networkIsBack: true })).toBe("refresh");
    // As the clock may say that was set back a little; what is far ahead is no renewal that has been.
    expect(rule(record({ committedAt: NOW + 100 }), { cause: "due" })).toBe("young");
    for (const at of [NOW + 3_600_000, 8e15]) expect(rule(record({ renewed: { version: 3, at } }), { cause: "due" })).toBe("refresh");
    expect(rule(young, { cause: "requested" })).toBe("refresh");
    expect(rule(record({ committedAt: NOW - 1_100 }))).toBe("refresh");
    expect(rule(record({ signedInAt: NOW - 900, committedAt: NOW - 900 })), "of a sign-in, which may be older").toBe("refresh");
  });

  it("R18 the scheduler waits for retryAt; who needs a token waits less; who asks for it does not wait", () => {
    const failed = record({ failure: failure({ at: 38_500 }) });
    expect(rule(failed, { cause: "due" })).toBe("server");
    expect(rule(failed, { cause: "expired" })).toBe("refresh");
    expect(rule(failed, { cause: "requested" })).toBe("refresh");
    expect(rule(failed, { cause: "due" }, 60_001)).toBe("refresh");
  });

  it("R18 a call that came after a failure waits for the next attempt if that is near, and fails if it is not", () => {
    const soon = record({ failure: failure({ at: 39_500 }) });
    expect(rule(soon, { cause: "expired" })).toBe("wait 500");
    const far = record({ failure: failure({ at: 39_500, attempt: 3, status: 503 }) });
    expect(on(far, { cause: "expired" })).toMatchObject({ code: "server", status: 503, attempt: 3 });
    expect(rule(record({ failure: failure({ retryAt: null, code: "configuration" }) })), "no attempt mends it").toBe("configuration");
  });

  it("R18 the planned retry goes ahead also once the token has expired, however many attempts have failed", () => {
    const failed = record({ failure: failure({ at: 10_000, attempt: 6, retryAt: 28_000 }) });
    expect(rule(failed, { cause: "expired", startedAt: 28_090 }, 28_100)).toBe("refresh");
    expect(rule(failed, { cause: "expired", startedAt: 27_890 }, 27_900)).toBe("wait 100");
  });

  it("R15 nobody waits when the network has come back", () => {
    expect(rule(record({ failure: failure() }), { cause: "due", networkIsBack: true })).toBe("refresh");
  });

  it("R18 who waited while an attempt failed shares its failure", () => {
    const failed = record({ failure: failure({ at: 39_995 }) });
    for (const cause of CAUSES) expect(rule(failed, { cause })).toBe("server");
  });

  it("R64 a pause that the server asked for holds for a sign-in, and without a failure of this token's", () => {
    const far = NOW + 2_001;
    expect(rule(record({ quietUntil: NOW + 1 }), { cause: "sign-in" })).toBe("wait 1");
    expect(rule(record({ quietUntil: far }), { cause: "sign-in" })).toBe("throttled");
    expect(rule(record({ signedIn: false, reason: "rejected", quietUntil: far }), { cause: "sign-in" })).toBe("throttled");
    expect(on(record({ quietUntil: far }), { cause: "requested" })).toMatchObject({ code: "throttled", retryAfter: 2_001 });
    expect(rule(record({ quietUntil: NOW }), { cause: "requested" })).toBe("refresh");
  });

  it("R64 what is longer than a day was written by a clock that was wrong, and stops nobody", () => {
    expect(rule(record({ quietUntil: NOW + 86_400_000 }))).toBe("throttled");
    expect(rule(record({ quietUntil: NOW + 86_400_001 }))).toBe("refresh");
  });

  it("R21 a pause that the server asked for holds for everybody", () => {
    const throttled = record({ failure: failure({ code: "throttled" }), quietUntil: 60_000 });
    for (const cause of CAUSES) {
      expect(rule(throttled, { cause, networkIsBack: true })).toBe("throttled");
      expect(rule(throttled, { cause }, 60_000)).toBe("refresh");
    }
  });

  it.each([1, 2, 3, 4, 9_000])(
    "R49 after %i renewals without a cure, no further one for a refusal; all others go ahead, and so does one that the app asks for",
    (count) => {
      const uncured = record({ uncured: { "": { count, at: NOW, asked: record().committedAt, judged: 0 } } });
      expect(rule(uncured, { cause: "unauthorized" })).toBe("paced");
      for (const cause of ["due", "expired", "requested"] as const) expect(rule(uncured, { cause })).toBe("refresh");
      expect(rule(uncured, { cause: "requested", refused: true }), "a caller with a refusal has joined").toBe("refresh");
    },
  );
});

describe("what a tab does that signs in by a cookie, when it has its turn", () => {
  const signIn = (known: LedgerRecord | undefined): string => rule(known, { cause: "sign-in" });

  it("refreshes, whatever has become of the session before, unless the user signed out since", () => {
    expect(signIn(record())).toBe("refresh");
    expect(signIn(record({ final: true }))).toBe("refresh");
    expect(signIn(record({ signedIn: false, tokens: undefined }))).toBe("refresh");
    expect(signIn(record({ epoch: 8, signedIn: false, reason: "rejected", tokens: undefined }))).toBe("refresh");
    expect(signIn(record({ epoch: 8, signedIn: false, reason: "user", tokens: undefined }))).toBe("gone");
    expect(signIn(undefined)).toBe("gone");
  });

  it("adopts the session in which another tab signed in meanwhile, if its tokens are here", () => {
    expect(signIn(record({ epoch: 8 }))).toBe("adopted");
    expect(signIn(record({ epoch: 8, tokens: undefined }))).toBe("refresh");
  });
});
