import { describe, expect, it } from "vitest";
import type { Failure, LedgerRecord } from "../../src/ledger/record.js";
import { judge, type Request } from "../../src/refresh/ruling.js";
import { record } from "../ledger/records.js";

const NOW = 40_000;
const base = record();
const request = (changes: Partial<Request> = {}): Request =>
  ({ base, cause: "expired", startedAt: NOW - 10, eager: false, ...changes }) as Request;
const rule = (known: LedgerRecord | undefined, changes: Partial<Request> = {}, now = NOW) => judge(known, request(changes), now);
const failure = (changes: Partial<Failure> = {}): Failure => ({
  code: "server",
  attempt: 1,
  at: 39_000,
  retryAt: 60_000,
  throttled: false,
  ...changes,
});

describe("what a tab may do when its turn has come", () => {
  it("go, when nothing has happened since", () => {
    expect(rule(record())).toBe("go");
  });

  it("R2 adopts, when there is a newer version with its token", () => {
    expect(rule(record({ version: 4, committedAt: 20_000 }))).toBe("adopted");
  });

  it("R1 adopts no token as a newer one that only counts higher: a tab without storage counts anew what it hears", () => {
    expect(rule(record({ version: 4 }))).toBe("go");
  });

  it("asks elsewhere, when the token or the means are in another tab", () => {
    expect(rule(record({ version: 4, tokens: undefined }))).toBe("elsewhere");
    expect(rule(record({ tokens: { accessToken: "a" } }))).toBe("elsewhere");
  });

  it("R25 stops, when the session ended or is another one", () => {
    expect(rule(record({ signedIn: false }))).toBe("gone");
    expect(rule(record({ epoch: 8, version: 4 }))).toBe("gone");
    expect(rule(undefined)).toBe("gone");
  });

  it("R20 knows when nobody can renew any more", () => {
    expect(rule(record({ final: true }))).toBe("final");
  });

  it("R13 leaves a token alone that is younger than the floor, unless the app asks", () => {
    const young = record({ committedAt: NOW - 900 });
    for (const cause of ["due", "expired", "unauthorized"] as const) expect(rule(young, { cause })).toBe("young");
    expect(rule(young, { cause: "requested" })).toBe("go");
    expect(rule(record({ committedAt: NOW - 1_100 }))).toBe("go");
  });

  it("R18 the scheduler waits for retryAt; who needs a token waits less; who asks for it does not wait", () => {
    const failed = record({ failure: failure({ at: 38_500 }) });
    expect(rule(failed, { cause: "due" })).toBe("backoff");
    expect(rule(failed, { cause: "expired" })).toBe("go");
    expect(rule(failed, { cause: "requested" })).toBe("go");
    expect(rule(record({ failure: failure({ at: 39_500 }) }), { cause: "expired" })).toBe("backoff");
    expect(rule(failed, { cause: "due" }, 60_001)).toBe("go");
  });

  it("R18 the planned retry goes ahead also once the token has expired, however many attempts have failed", () => {
    const failed = record({ failure: failure({ at: 10_000, attempt: 6, retryAt: 28_000 }) });
    expect(rule(failed, { cause: "expired" }, 28_100)).toBe("go");
    expect(rule(failed, { cause: "expired" }, 27_900)).toBe("backoff");
  });

  it("R15 nobody waits when the network has come back", () => {
    expect(rule(record({ failure: failure() }), { cause: "due", eager: true })).toBe("go");
  });

  it("R18 who waited while an attempt failed shares its failure", () => {
    const failed = record({ failure: failure({ at: 39_995 }) });
    for (const cause of ["due", "expired", "unauthorized", "requested"] as const) expect(rule(failed, { cause })).toBe("backoff");
  });

  it("R21 a pause that the server asked for holds for everybody", () => {
    const throttled = record({ failure: failure({ code: "throttled", throttled: true }) });
    for (const cause of ["due", "expired", "unauthorized", "requested"] as const) {
      expect(rule(throttled, { cause, eager: true })).toBe("backoff");
      expect(rule(throttled, { cause }, 60_000)).toBe("go");
    }
  });
});
