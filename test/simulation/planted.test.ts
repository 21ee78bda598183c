import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { expect, it } from "vitest";
import { bundleSimulation } from "../../scripts/simulation.js";
import { runSeeds } from "../../scripts/simulation-run.js";
import { type Bug, FEATURE_BUGS, ignoresTheLease } from "./features/planted.js";
import { SEEDS } from "./seeds.js";

const refresher = "src/refresh/refresher.ts";
const turns = "src/refresh/turns.ts";
const signInOut = "src/session/sign-in-out.ts";
const restore = "src/session/restore.ts";
const lease = "src/ledger/transitions/lease.ts";

/** The mistakes that are made in practice, each in the shipping code itself. */
const BUGS: Bug[] = [
  {
    name: "a ledger whose reads are stale, as those of localStorage are",
    patches: [
      {
        file: "src/ledger/ledger.ts",
        from: "alone ? copy.known : copy.recordIn(value, mark), transition",
        to: "alone ? copy.known : copy.recordIn(copy.current ?? value, mark), transition",
      },
    ],
    breaks: /^P[123]/,
  },
  {
    name: "no second look at the ledger once the lock is granted",
    patches: [
      ignoresTheLease,
      { file: turns, from: "decide(known, flight, moment.now)", to: "decide(flight.base, flight, moment.now)" },
      {
        file: turns,
        from: "answers.run(flight, lease, since)",
        to: "answers.run(flight, { ...lease, tokens: flight.base.tokens }, since)",
      },
    ],
    breaks: /^P[12]/,
  },
  { name: "another tab's lease is not respected", patches: [ignoresTheLease], breaks: /^P1/ },
  {
    name: "the deadline frees the lease although the request goes on",
    patches: [
      {
        file: "src/refresh/answer.ts",
        from: "failWith(error, undefined, remaining())",
        to: "failWith(error)",
      },
    ],
    breaks: /^reuse/,
  },
  {
    name: "another tab's prolonged lease is not respected",
    patches: [
      { file: "src/refresh/lease.ts", from: "if (late) return", to: "if (late) return 0;\n      if (late) return" },
      { file: "src/ledger/facts.ts", from: "failure && refreshing?.late", to: "failure && refreshing?.late === null" },
    ],
    breaks: /^(P1|reuse)/,
  },
  {
    name: "a result is stored whatever the epoch",
    patches: [
      { file: lease, from: "known?.epoch === epoch &&", to: "known !== undefined &&" },
      { file: lease, from: ": known.version === version);", to: ": version > 0);" },
    ],
    breaks: /^P3/,
  },
  {
    name: "a lease without fencing: whoever was passed over may commit",
    patches: [
      {
        file: lease,
        from: "known.refreshing.tab === refreshing?.tab && known.refreshing.since === refreshing.since",
        to: "known.version === version",
      },
    ],
    breaks: /^P3/,
  },
  {
    name: "broadcasts are adopted in whatever order they come",
    patches: [
      {
        file: "src/ledger/transitions/session.ts",
        from: "if (!known || !isEndOf(known, record)) return {};",
        to: "if (!known || !isEndOf(known, record)) return { next: record };",
      },
    ],
    breaks: /^P3/,
  },
  {
    name: "nobody tries again after a failure",
    patches: [
      {
        file: "src/ledger/facts.ts",
        from: "if (!record?.signedIn || isNewerRelease(record)) return undefined;",
        to: "if (!record?.signedIn || isNewerRelease(record) || record.failure) return undefined;",
      },
    ],
    breaks: /^P4/,
  },
  {
    name: "a sign-out that waits for storage for as long as that takes",
    patches: [{ file: signInOut, from: "(await context.waits.within(SIGN_OUT_MS, written))", to: "(await written)" }],
    breaks: /^P5/,
  },
  {
    name: "waiting for the lock without an end",
    patches: [
      { file: refresher, from: "2 * context.settings.refreshTimeout + 2000", to: "1e9" },
      { file: turns, from: "refreshTimeout + Math.min(refreshTimeout, WAIT_SLACK_MS) + WAIT_SLACK_MS", to: "1e9" },
    ],
    // The limit of `getToken` itself ends its wait, and the tab has no token in the end.
    breaks: /^P[45]/,
  },
  {
    name: "a tab that opens gives storage up when ready resolves",
    patches: [
      { file: restore, from: "context.waits.whileAwake(UNKNOWN_MS, readSession())", to: "context.waits.within(RESTORE_MS, readSession())" },
    ],
    named: ["slow-opening"],
    breaks: /^R87/,
  },
  {
    name: "while storage is slow, a tab that opens says that nobody is signed in",
    patches: [{ file: restore, from: "within(RESTORE_MS, known)", to: "within(RESTORE_MS, known).then(() => view.endRestore())" }],
    named: ["slow-opening"],
    breaks: /^R87/,
  },
  {
    name: "a sign-out that is heard by message waits for storage that hangs",
    patches: [{ file: "src/ledger/ledger.ts", from: "apply(hear(ended, shared), { atOnce: ended })", to: "apply(hear(ended, shared))" }],
    named: ["storage-hangs", "sign-out"],
    breaks: /^R89/,
  },
  {
    name: "the mark of a sign-out is not written",
    patches: [{ file: signInOut, from: "context.ledger.mark(ended.epoch)", to: "new Promise<true>(() => {})" }],
    named: ["sign-out-and-leave"],
    breaks: /^R85/,
  },
  {
    name: "a sign-out reads the ledger before it writes its mark",
    patches: [
      {
        file: signInOut,
        from: "context.ledger.mark(ended.epoch)",
        to: "context.ledger.read().then(() => context.ledger.mark(ended.epoch))",
      },
    ],
    named: ["sign-out-and-leave"],
    breaks: /^R85/,
  },
  {
    name: "a page that opens ignores the mark of a sign-out",
    patches: [{ file: "src/ledger/copy.ts", from: "|| !isNumber(mark)", to: "|| mark !== null" }],
    named: ["sign-out-and-leave"],
    breaks: /^R85/,
  },
  {
    name: "the mark of a sign-out counts only by its epoch, also beside a session whose clock was ahead",
    patches: [{ file: "src/ledger/copy.ts", from: "!isNumber(mark)", to: "!isNumber(mark) || mark < stored.epoch" }],
    named: ["sign-out-and-leave", "clock-jump"],
    breaks: /^R85/,
  },
  {
    name: "a page that returns sends before it has read the ledger",
    patches: [{ file: "src/session/page-life.ts", from: "return reading;", to: "return undefined;" }],
    named: ["return-and-call"],
    breaks: /^R55/,
  },
  {
    name: "a prerendered page renews",
    patches: [{ file: refresher, from: "context.waits.whenActive(() => {", to: "[base].forEach(() => {" }],
    named: ["prerender"],
    breaks: /^R57/,
  },
  {
    name: "storage that stops answering is not noticed (R88)",
    named: ["storage-hangs"],
    patches: [{ file: "src/ledger/watched-store.ts", from: "    silences++;\n    hangs();", to: "    silences++;" }],
    breaks: /^P[45]/,
  },
];

/** All of them take minutes, so `npm test` looks for these, and `npm run test:full` for all. */
const IN_SHORT = [
  "a ledger whose reads are stale, as those of localStorage are",
  "a result is stored whatever the epoch",
  "the mark of a sign-out is not written",
  "a page that returns sends before it has read the ledger",
  "an older release that takes a newer record for its own",
];
const all: Bug[] = [...BUGS, ...FEATURE_BUGS];
const bugs = process.env.TOKENTIDE_LONG === "1" ? all : all.filter(({ name }) => IN_SHORT.includes(name));

it.each<Bug>(bugs)(
  "finds it: $name",
  async ({ patches, others, breaks, named = [] }) => {
    const file = await bundleSimulation(patches, others);
    const finds = ({ failed }: { failed: { property: string }[] }) => failed.some(({ property }) => breaks.test(property));
    const total = await runSeeds(file, { ...SEEDS, named, patience: 20_000, enough: finds });
    rmSync(dirname(file), { recursive: true });
    expect(finds(total), `found within ${total.seeds} seeds`).toBe(true);
  },
  240_000,
);

it("fails loudly when the code that a bug is planted in has changed", async () => {
  const patch = { file: refresher, from: "what has never been written", to: "" };
  await expect(bundleSimulation([patch])).rejects.toThrow("has no single place that says");
});
