import type { Patch } from "../../../scripts/simulation.js";
import type { Kind } from "../plan.js";
import type { FeatureName } from "./names.js";
import { VAULT_BUGS } from "./planted-vault.js";

/** A mistake in the shipping code that the simulation has to find. */
export interface Bug {
  readonly name: string;
  readonly patches: Patch[];
  /** The patches of the other release. */
  readonly others?: Patch[];
  /** Which property it breaks. */
  readonly breaks: RegExp;
  /** The kinds of fault and the features that every seed is to have, where the bug needs one that few seeds have, or none yet. @default those of the seeds */
  readonly named?: readonly string[];
}

/** A mistake that the rule of a feature has to find. */
export interface FeatureBug extends Bug {
  readonly named: (FeatureName | Kind)[];
}

const limits = "src/limits/limits.ts";
const issued = "src/ledger/tokens-issued.ts";
const record = "src/ledger/format.ts";
export const ignoresTheLease: Patch = {
  file: "src/refresh/lease.ts",
  from: "if (!refreshing) return 0;",
  to: "if (waitedForHolder < Infinity) return 0;",
};
const audienceView = "src/audiences/ledger-view.ts";
const prover = "src/dpop/prover.ts";

export const FEATURE_BUGS: FeatureBug[] = [
  {
    name: "a session that ends before its greatest age",
    patches: [{ file: limits, from: "if (now >= endsAt(record))", to: "if (now >= endsAt(record) - 5000)" }],
    breaks: /^limits/,
    named: ["limits"],
  },
  {
    name: "a session that a refresh prolongs",
    patches: [
      {
        file: "src/limits/max-age.ts",
        from: "Math.min(signedInAt + milliseconds, endsAt)",
        to: "Math.min(signedInAt + milliseconds, endsAt) + 20_000",
      },
    ],
    breaks: /^limits/,
    named: ["limits"],
  },
  {
    name: "activity that the other tabs never hear of",
    patches: [
      {
        file: "src/ledger/transitions/notes.ts",
        from: "at > (known.lastActivityAt ?? known.signedInAt)",
        to: "at > known.committedAt + 1e9",
      },
      { file: "src/limits/activity.ts", from: "channel.post(last);", to: "" },
    ],
    breaks: /^limits/,
    named: ["limits"],
  },
  {
    name: "an audience that keeps the rotated refresh token to itself",
    patches: [{ file: audienceView, from: "        refreshToken,\n", to: "" }],
    breaks: /^(P2|reuse)/,
    named: ["audiences"],
  },
  {
    name: "an audience that hands out what has expired",
    patches: [
      { file: "src/audiences/audiences.ts", from: "return ledger.current ? usableUntil(ledger.current) : 0;", to: "return Infinity;" },
    ],
    breaks: /^P4/,
    named: ["audiences"],
  },
  {
    name: "one audience that gets the token of another",
    patches: [{ file: audienceView, from: "checked(audiences?.[name])", to: "checked(Object.values(audiences ?? {})[0])" }],
    breaks: /^audience/,
    named: ["audiences"],
  },
  {
    name: "a header's token of whatever session",
    patches: [{ file: "src/ledger/transitions/session.ts", from: "known.epoch !== epoch ||", to: "epoch < 0 ||" }],
    breaks: /^P3/,
    named: ["renewal-header"],
  },
  {
    name: "a classify that throws ends the session",
    patches: [
      { file: "src/http/authorized-fetch.ts", from: "thrown);\n      return undefined;", to: 'thrown);\n      return "sign-out";' },
    ],
    breaks: /^P4/,
    named: ["classify"],
  },
  {
    name: "a hidden page that renews what it was to let lapse",
    patches: [
      {
        file: "src/session/session.ts",
        from: "(settings.renewWhileHidden || !environment.hidden)",
        to: "settings.renewWhileHidden !== null",
      },
    ],
    breaks: /^hidden/,
    named: ["opening"],
  },
  {
    name: "renewals that cure nothing are not paced",
    patches: [{ file: "src/ledger/facts.ts", from: "count > 0 && asked ===", to: "count > 1e9 && asked ===" }],
    breaks: /^pace/,
    named: ["refusal"],
  },
  {
    name: "each call tries again at once after a failure",
    patches: [{ file: "src/ledger/facts.ts", from: "failure.at + demandDelay(failure.attempt, lifetimeIn(record))", to: "failure.at" }],
    breaks: /^pace/,
    named: ["retry-at-once"],
  },
  {
    name: "whatever a message says is taken into the ledger",
    patches: [
      {
        file: "src/ledger/transitions/session.ts",
        from: "if (moment.alone || !shared)",
        to: "if (moment.tab || !shared)",
      },
    ],
    breaks: /^hostile/,
    named: ["hostile"],
  },
  {
    name: "any message moves the clocks",
    patches: [{ file: "src/ledger/ledger.ts", from: "if (!place.shared) parts.clock.reach(", to: "if (place) parts.clock.reach(1e9 + " }],
    breaks: /^hostile/,
    named: ["hostile"],
  },
  {
    name: "a release that does not know the lease of another one",
    patches: [],
    others: [ignoresTheLease],
    breaks: /^P1/,
    named: ["releases"],
  },
  {
    name: "an older release that takes a newer record for its own",
    patches: [{ file: record, from: "(record?.format ?? 0) > FORMAT", to: "(record?.format ?? 0) > 1e9" }],
    breaks: /^release/,
    named: ["releases"],
  },
  {
    name: "members that a release does not know get lost",
    patches: [{ file: issued, from: "...before,\n", to: "" }],
    others: [{ file: issued, from: "signedIn: true,", to: 'signedIn: true, ...(begins && { flavour: "vanilla" }),' }],
    breaks: /^release/,
    named: ["releases"],
  },
  {
    name: "a tab whose own option decides what is stored",
    patches: [{ file: issued, from: "begins ? typeof options.persist", to: "begins || options.persist ? typeof options.persist" }],
    breaks: /^P[34]/,
    named: ["mixed-persist"],
  },
  {
    name: "the nonce of one origin is sent to another",
    patches: [{ file: prover, from: "nonce: nonces.get(origin), skew", to: "nonce: nonces.get(origin) ?? binding.nonce?.value, skew" }],
    breaks: /^dpop/,
    named: ["dpop"],
  },
  {
    name: "a challenge of the token endpoint counts as a failure",
    patches: [{ file: prover, from: "!cures || answered.has(challenge)) throw", to: "challenge) throw" }],
    breaks: /^dpop/,
    named: ["dpop"],
  },
  {
    name: "a new session gets the key of the one before",
    patches: [
      { file: issued, from: "bind(tokens, old.binding, ", to: "bind(begins ? { ...tokens, ...previous?.tokens } : tokens, old.binding, " },
    ],
    breaks: /^dpop/,
    named: ["dpop"],
  },
  {
    name: "proofs without the correction of the clock",
    patches: [{ file: prover, from: "const now = environment.now() + skewOf(binding);", to: "const now = environment.now();" }],
    breaks: /^P4/,
    named: ["dpop"],
  },
  {
    name: "a sign-in that looks for its key, and takes what is there later",
    patches: [
      {
        file: "src/dpop/dpop.ts",
        from: "dpopKeyPair = (await keyOf(tokens, keys, environment)) ?? keys[0];\n        if (!dpopKeyPair",
        to: "if (!keys[0]",
      },
    ],
    breaks: /^dpop/,
    named: ["dpop"],
  },
  {
    name: "a tab in memory mode that leaves stored tokens where they are",
    patches: [
      { file: "src/ledger/transitions/session.ts", from: "known?.signedIn && known.tokens && !known.inMemory", to: "known?.inMemory" },
    ],
    breaks: /^P3/,
    named: ["mixed-persist"],
  },
  ...VAULT_BUGS,
];
