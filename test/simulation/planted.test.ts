import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { expect, it } from "vitest";
import { bundleSimulation, type Patch } from "../../scripts/simulation.js";
import { runSeeds } from "../../scripts/simulation-run.js";
import { SEEDS } from "./seeds.js";

interface Bug {
  readonly name: string;
  readonly patches: Patch[];
  /** Which property it breaks. */
  readonly breaks: RegExp;
}

const refresher = "src/refresh/refresher.ts";
const transaction = "src/refresh/transaction.ts";
const ignoresTheMark: Patch = { file: "src/refresh/marks.ts", from: "if (!refreshing) return 0;", to: "if (fence !== null) return 0;" };

/** The mistakes that are made in practice, each in the shipping code itself. */
const BUGS: Bug[] = [
  {
    name: "a ledger whose reads are stale, as those of localStorage are",
    patches: [{ file: "src/ledger/ledger.ts", from: "current : read(value);", to: "current : read(current ?? value);" }],
    breaks: /^P[123]/,
  },
  {
    name: "no second look at the ledger once the lock is granted",
    patches: [
      ignoresTheMark,
      { file: refresher, from: "judge(record, own, now)", to: "judge(own.base, own, now)" },
      { file: transaction, from: "...tokens } = marked.tokens ??", to: "...tokens } = flight.base.tokens ??" },
    ],
    breaks: /^P[12]/,
  },
  { name: "another tab's mark is not respected", patches: [ignoresTheMark], breaks: /^P1/ },
  {
    name: "a result is stored whatever the epoch",
    patches: [
      { file: transaction, from: "record?.epoch === epoch &&", to: "record !== undefined &&" },
      { file: transaction, from: ": record.version === version);", to: ": version > 0);" },
    ],
    breaks: /^P3/,
  },
  {
    name: "a lease without fencing: whoever was passed over may commit",
    patches: [
      {
        file: transaction,
        from: "record.refreshing.tab === refreshing?.tab && record.refreshing.since === refreshing.since",
        to: "record.version === version",
      },
    ],
    breaks: /^P3/,
  },
  {
    name: "broadcasts are adopted in whatever order they come",
    patches: [{ file: "src/ledger/record.ts", from: "if (!known) return true;", to: "if (known !== null) return true;" }],
    breaks: /^P3/,
  },
  {
    name: "nobody tries again after a failure",
    patches: [
      {
        file: "src/refresh/scheduler.ts",
        from: "if (!record?.signedIn) return undefined;",
        to: "if (!record?.signedIn || record.failure) return undefined;",
      },
    ],
    breaks: /^P4/,
  },
  {
    name: "a sign-out that waits for storage for as long as that takes",
    patches: [{ file: "src/session/entrance.ts", from: "await atMost(SIGN_OUT, written);", to: "await written;" }],
    breaks: /^P5/,
  },
  {
    name: "waiting for the lock without an end",
    patches: [
      { file: refresher, from: "2 * refreshTimeout + 2000", to: "1e9" },
      { file: refresher, from: "refreshTimeout + Math.min(refreshTimeout, TAIL) + TAIL", to: "1e9" },
    ],
    breaks: /^P5/,
  },
];

it.each(BUGS)(
  "finds it: $name",
  async ({ patches, breaks }) => {
    const file = await bundleSimulation(patches);
    const finds = ({ failed }: { failed: { property: string }[] }) => failed.some(({ property }) => breaks.test(property));
    const total = await runSeeds(file, { ...SEEDS, enough: finds });
    rmSync(dirname(file), { recursive: true });
    expect(finds(total), `found within ${total.seeds} seeds`).toBe(true);
  },
  240_000,
);

it("fails loudly when the code that a bug is planted in has changed", async () => {
  const patch = { file: refresher, from: "what has never been written", to: "" };
  await expect(bundleSimulation([patch])).rejects.toThrow("has no single place that says");
});
