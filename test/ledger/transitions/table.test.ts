import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SessionError } from "../../../src/errors.js";
import { isExpired } from "../../../src/ledger/facts.js";
import { isCalledOff, isEndOf, isNewer } from "../../../src/ledger/order.js";
import type { LedgerRecord } from "../../../src/ledger/record.js";
import type { Moment, Step } from "../../../src/ledger/transitions/index.js";
import * as transitions from "../../../src/ledger/transitions/index.js";
import { differentParty } from "../../../src/token/claims.js";
import type { SignedOutReason } from "../../../src/types/index.js";
import {
  accessToken,
  after,
  count,
  failure,
  few,
  instant,
  issued,
  issueOptions,
  lease,
  members,
  moments,
  optional,
  record,
  refreshToken,
  related,
  sessionError,
} from "./arbitraries.js";

const RUNS = 1_500;

/** By the name of the row: the members that its cell lists, those of other rows included. */
function rowsOf(source: string): Map<string, Set<string>> {
  const cells = [...source.matchAll(/^ \* \| (\S.*?) +\| .+? +\|(.*)\|$/gm)].map(([, name, listed]) => [name!, listed!] as const);
  const table = new Map(cells.slice(1).filter(([name]) => !name.startsWith("-")));
  const membersOf = (listed: string): string[] =>
    listed
      .split(" ")
      .filter(Boolean)
      .flatMap((word) => (word === "*" ? members : table.has(word) ? membersOf(table.get(word)!) : [word]));
  return new Map([...table].map(([name, listed]) => [name, new Set(membersOf(listed))]));
}
const source = readFileSync(new URL("../../../src/ledger/transitions/index.ts", import.meta.url), "utf8");
const rows = rowsOf(source);
const nameOf = (row: string): string => row.replace(/ \(.+\)$/, "");

/** One use of a transition: on what it is made, how, and in which row of the table that is. */
interface Trial {
  readonly known: LedgerRecord | undefined;
  readonly make: (known: LedgerRecord | undefined, moment: Moment) => Step<unknown>;
  readonly row: (step: Step<unknown>, moment: Moment) => string;
  /** Where a lease has to count. `begins`: it is of a sign-in. */
  readonly holder?: transitions.Holder;
  /** What else it is handed. It must not be changed either. */
  readonly given?: unknown;
}

/** A transition that is handed a record, and returns one. */
const plain =
  (make: (known: LedgerRecord, moment: Moment) => LedgerRecord | undefined): Trial["make"] =>
  (known, moment) => ({ next: make(known!, moment), outcome: undefined });

/** An attempt, its lease, and the record when its answer came. A lease without a session is always of a sign-in. */
const attempts = fc
  .tuple(record, lease, fc.boolean())
  .map(([base, refreshing, begins]) => ({ lease: { ...base, refreshing }, begins: begins || !base.signedIn }))
  .chain((holder) => related(holder.lease).map((known) => ({ holder, known })));

const LATE = new SessionError("timeout", "no answer", { lost: true });

const trials: Record<string, fc.Arbitrary<Trial>> = {
  signIn: fc.tuple(fc.option(record, { nil: undefined }), issued, issueOptions, instant).map(([known, tokens, options, asked]) => ({
    ...{ known, given: [tokens, options], make: transitions.signIn(tokens, { asked, epoch: undefined }, options) },
    row: () => (known ? "signIn" : "signIn (first)"),
  })),
  prepareSignIn: fc.tuple(optional(record), record).map(([known, signedOut]) => ({
    ...{ known, given: signedOut, make: transitions.prepareSignIn(signedOut), row: () => "prepareSignIn" },
  })),
  keepInMemory: optional(record).map((known) => ({ known, make: transitions.keepInMemory, row: () => "keepInMemory" })),
  handOver: record.map((known) => ({
    ...{ known, make: transitions.handOver(known.tokens?.refreshToken ?? "none", "handle"), row: () => "handOver" },
  })),
  keepPendingKey: fc.tuple(optional(record), record).map(([known, signedOut]) => ({
    ...{
      known,
      given: signedOut,
      make: transitions.keepPendingKey({} as CryptoKeyPair, signedOut, (value): value is CryptoKeyPair => !!value),
    },
    row: () => (known ? "keepPendingKey" : "keepPendingKey (first)"),
  })),
  takeLease: record.map((known) => ({
    ...{ known, make: plain((found, moment) => transitions.takeLease(found, 10_000, moment)), row: () => "takeLease" },
  })),
  markPreempted: record.map((known) => ({ known, make: plain(transitions.markPreempted), row: () => "markPreempted" })),
  releaseLease: attempts.map(({ holder, known }) => ({
    ...{ known, given: holder, make: transitions.releaseLease(holder.lease), row: () => "releaseLease" },
  })),
  prolongLease: fc.tuple(attempts, count, fc.boolean()).map(([{ holder, known }, attempt, demanded]) => ({
    ...{ known, holder, given: holder },
    make: transitions.prolongLease(holder, { error: LATE, attempt, demanded }, 20_000),
    row: () => "prolongLease",
  })),
  keepLease: attempts.map(({ holder, known }) => ({
    ...{ known, given: holder, make: transitions.keepLease(holder.lease, 20_000), row: () => "keepLease" },
  })),
  abandonLease: fc.tuple(attempts, fc.boolean()).map(([{ holder, known: found }, late]) => {
    const known = found?.refreshing && late ? { ...found, refreshing: { ...found.refreshing, late } } : found;
    return { known, given: holder, make: transitions.abandonLease(holder.lease), row: () => "abandonLease" };
  }),
  commit: fc
    .tuple(attempts, issued, issueOptions, few(0, 700, 90_000), fc.boolean())
    .map(([{ holder, known }, tokens, options, age, refused]) => ({
      ...{ known, holder, given: [holder, tokens, options], make: transitions.commit(holder, { tokens, age, refused }, options) },
      row(step) {
        if (!step.outcome) return "commit (late)";
        if (holder.begins) return "commit (sign-in)";
        return options.readClaims && differentParty(holder.lease.tokens, tokens) ? "commit (another user)" : "commit";
      },
    })),
  fail: fc
    .tuple(attempts, sessionError, count, fc.boolean(), optional(refreshToken))
    .map(([{ holder, known }, error, attempt, demanded, token]) => {
      // What the server hands over, it hands over with an answer.
      const rescued = error.code === "invalid-response" ? token : undefined;
      return {
        ...{ known, holder, given: [holder, error] },
        make: transitions.fail(holder, { error, attempt, demanded, refreshToken: rescued }),
        row(step, { now }) {
          if (!step.outcome) return "fail (late)";
          if (!known?.signedIn) return "fail";
          if (error.code !== "rejected") return rescued ? "fail (rescue)" : "fail";
          return demanded || isExpired(known, now) ? "fail (over)" : "fail (refused)";
        },
      };
    }),
  acceptRenewal: fc
    .tuple(record, few(0, 0, 0, 1), accessToken, optional(accessToken), issueOptions, few(true, true, false))
    .map(([base, stray, token, sent, options, free]) => {
      const known = free ? { ...base, refreshing: undefined } : base;
      const offered = { tokens: { accessToken: token }, epoch: known.epoch + stray, sent: sent ?? base.tokens?.accessToken ?? "" };
      return { known, given: [offered, options], make: transitions.acceptRenewal(offered, options), row: () => "acceptRenewal" };
    }),
  end: record
    .chain((expected) => fc.tuple(fc.constant(expected), related(expected), few<SignedOutReason>("rejected", "expired"), optional(failure)))
    .map(([expected, known, reason, failed]) => ({
      ...{ known, given: [expected, failed], make: transitions.end(expected, reason, failed), row: () => "end" },
    })),
  signedOut: fc
    .tuple(
      record.filter(({ signedIn }) => signedIn),
      few<SignedOutReason>("idle", "max-age", "storage-cleared"),
    )
    .map(([known, reason]) => ({
      ...{ known, make: plain((found, moment) => transitions.signedOut(found, moment, reason)), row: () => "signedOut" },
    })),
  signOut: record
    .chain((base) => fc.tuple(optional(after(base)), related(base), moments))
    .map(([shown, known, asked]) => {
      const ended = transitions.signedOut(shown, asked(), "user");
      return { known, given: ended, make: transitions.signOut(ended), row: () => (known ? "signOut" : "signOut (first)") };
    }),
  noteActivity: fc.tuple(optional(record), instant).map(([known, at]) => ({
    ...{ known, make: transitions.noteActivity(() => at), row: () => "noteActivity" },
  })),
  noteRevocation: optional(record).map((known) => ({ known, make: transitions.noteRevocation, row: () => "noteRevocation" })),
  noteVerdict: fc.tuple(optional(record), instant, fc.boolean()).map(([known, renewal, accepted]) => ({
    ...{ known, make: transitions.noteVerdict(renewal, accepted), row: () => "noteVerdict" },
  })),
  hear: record
    .chain((told) => fc.tuple(fc.constant(told), related(told), fc.boolean()))
    .map(([told, known, shared]) => ({
      ...{ known, given: told, make: transitions.hear(told, shared) },
      row: (_, { alone }) => {
        if (shared && !alone) return isEndOf(known, told) ? "hear (end)" : "hear (shared)";
        return !known || isNewer(told, known) ? "hear (newer)" : "hear";
      },
    })),
  noChange: optional(record).map((known) => ({ known, make: transitions.noChange, row: () => "noChange" })),
};

function deepFreeze<T>(value: T): T {
  if (value instanceof Object && !Object.isFrozen(value)) Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}

/** A value without the members that are undefined. */
function bare(value: unknown): unknown {
  if (!(value instanceof Object) || value instanceof Error) return value;
  if (Array.isArray(value)) return value.map(bare);
  return Object.fromEntries(Object.entries(value).flatMap(([name, member]) => (member === undefined ? [] : [[name, bare(member)]])));
}

const changedIn = (known: LedgerRecord | undefined, next: LedgerRecord): string[] =>
  [...new Set([...Object.keys(known ?? {}), ...Object.keys(next)])].filter(
    (name) => !isDeepStrictEqual(bare(known?.[name as "tokens"]), bare(next[name as "tokens"])),
  );

function forEachTrial(name: string, check: (trial: Trial, moment: () => Moment) => void, numRuns = RUNS): void {
  const shown = trials[name]!.map((trial) => ({ ...trial, [fc.toStringMethod]: () => fc.stringify([trial.known, trial.given]) }));
  fc.assert(fc.property(shown, moments, check), { seed: 7, numRuns });
}

/** Makes each trial, and lets `check` see what came of it. */
const forEachStep = (name: string, check: (step: Step<unknown>, trial: Trial, moment: Moment) => void, numRuns = RUNS): void =>
  forEachTrial(name, (trial, moment) => check(trial.make(trial.known, moment()), trial, moment()), numRuns);

describe("the table of the transitions", () => {
  it("has a row for each transition, a transition for each row, and lists nothing but members of the record", () => {
    // It says whether a change may be made, and makes none.
    const { mayWrite: _, ...exported } = transitions;
    expect(new Set([...rows.keys()].map(nameOf))).toEqual(new Set(Object.keys(exported)));
    expect(new Set(Object.keys(trials))).toEqual(new Set(Object.keys(exported)));
    for (const [row, listed] of rows) expect(members, row).toEqual(expect.arrayContaining([...listed]));
  });

  describe.each(Object.keys(trials))("%s", (name) => {
    it("changes the members of its row, each of them at some time, and no others", () => {
      const seen = new Map<string, Set<string>>();
      forEachStep(name, (step, { known, row }, moment) => {
        if (!step.next) return;
        const at = row(step, moment);
        const changed = changedIn(known, step.next);
        expect(
          changed.filter((member) => !rows.get(at)!.has(member)),
          at,
        ).toEqual([]);
        seen.set(at, new Set([...(seen.get(at) ?? []), ...changed]));
      });
      for (const [row, listed] of rows) {
        if (nameOf(row) !== name) continue;
        // A whole record has no failure, say.
        if (listed.size < members.length) expect([...(seen.get(row) ?? [])].sort(), row).toEqual([...listed].sort());
        else expect([...(seen.get(row) ?? [])], row).toContain("epoch");
      }
    });

    it("is pure: it leaves what it is handed alone, and gives the same for the same", () => {
      forEachTrial(name, ({ make, known, given }, moment) => {
        deepFreeze([known, given]);
        const [one, other] = [make(known, deepFreeze(moment())), make(known, deepFreeze(moment()))];
        expect(isDeepStrictEqual(one, other)).toBe(true);
      });
    });

    it("R1 R3 lowers neither epoch nor version nor fence, and leaves the fence to the next lease", () => {
      forEachStep(name, ({ next }, { known }) => {
        if (!next || !known) return;
        for (const number of ["epoch", "version", "fence"] as const) expect(next[number]).toBeGreaterThanOrEqual(known[number]);
        if (name === "takeLease") expect(next.fence).toBe(known.fence + 1);
        else if (name !== "hear") expect(next.fence).toBe(known.fence);
      });
    });
  });

  it.each(["commit", "fail", "prolongLease"])(
    "R1 R25 %s writes no result to the record of another session, or after another commit",
    (name) => {
      let refused = 0;
      forEachStep(name, ({ next, outcome }, { known, holder }) => {
        const { lease, begins } = holder!;
        // A sign-in outlives the end of the session before it, unless the user ended that.
        const outlives = begins && known && !known.signedIn && !known.refreshing && !isCalledOff(known, lease);
        const ours =
          known?.epoch === lease.epoch && (known.version === lease.version || known.refreshing?.since === lease.refreshing?.since);
        if (outlives || ours) return;
        refused += 1;
        expect(outcome).toBeUndefined();
        if (next) expect([next.epoch, next.version, next.tokens]).toEqual([known?.epoch, known?.version, known?.tokens]);
      });
      expect(refused).toBeGreaterThan(RUNS / 10);
    },
  );
});
