import { describe, expect, it } from "vitest";
import { parseRecord } from "../../src/ledger/format.js";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { noChange } from "../../src/ledger/transitions/index.js";
import { stored, writes } from "./ledger-scene.js";
import { record } from "./records.js";

describe("R26 a ledger whose storage answers again", () => {
  const cutOff = async () => {
    const scene = await stored();
    void scene.ledger.apply(noChange, { within: 0 });
    await scene.world.clock.advance(1);
    expect(scene.ledger.shared).toBe(false);
    return scene;
  };

  it("brings back what this tab has committed meanwhile", async () => {
    const { ledger, store, seen } = await cutOff();
    const renewed = record({ version: 4, committedAt: 3_000 });
    await ledger.apply(writes(() => renewed));
    store.answers();
    expect([ledger.shared, ledger.persistent, store.value, seen.length]).toEqual([true, true, renewed, 1]);
  });

  it("takes what the other tabs have committed meanwhile, and tells of it", async () => {
    const { ledger, store, seen } = await cutOff();
    const theirs = record({ by: "tab 9", version: 5, committedAt: 9_000 });
    store.value = theirs;
    store.answers();
    expect([ledger.current, store.value, seen.map((change) => change.record)]).toEqual([theirs, theirs, [theirs]]);
  });

  it.each([1.25, 2])("R86 does not bring back a record that it read in part, from a message of format %d", async (format) => {
    const { ledger, store } = await cutOff();
    const said = record({ epoch: 8, format, tokens: { accessToken: "later" } });
    await ledger.receive(parseRecord(said) as LedgerRecord, false);
    expect(ledger.current?.epoch).toBe(8);
    store.answers();
    expect([ledger.shared, store.value]).toEqual([true, record()]);
  });

  it.each([true, false])("R86 brings back a sign-in or a sign-out over a session with other options (%s)", async (signedIn) => {
    const { ledger, store } = await cutOff();
    const mine = record({ epoch: 9, signedIn, ...(!signedIn && { tokens: undefined }) });
    await ledger.apply(writes(() => mine));
    store.value = record({ epoch: 8, format: 1.25, tokens: { accessToken: "access", refreshToken: "tokentide-handle:a.1" } });
    store.answers();
    expect([ledger.shared, store.value]).toMatchObject([true, { epoch: 9, signedIn, format: 1, tokens: mine.tokens }]);
  });

  const lease = (tab: string) => ({ tab, since: 3_000, timeout: 10_000 });

  it("R84 brings back the lease of a refresh that this tab began meanwhile, so that no other tab sends the same token", async () => {
    const { ledger, store } = await cutOff();
    await ledger.apply(writes((known) => ({ ...known!, refreshing: lease("tab 1") })));
    store.answers();
    expect([ledger.shared, store.value]).toMatchObject([true, { refreshing: lease("tab 1"), tokens: record().tokens }]);
  });

  it.each([
    ["another tab holds a lease on the stored commit", record({ fence: 9, refreshing: lease("tab 9") })],
    ["another tab has committed", record({ by: "tab 9", version: 5, committedAt: 9_000 })],
  ])("stays in memory until its own refresh is over, where %s", async (_, theirs) => {
    const { ledger, store } = await cutOff();
    await ledger.apply(writes((known) => ({ ...known!, refreshing: lease("tab 1") })));
    store.value = theirs;
    store.answers();
    expect([ledger.shared, store.value]).toEqual([false, theirs]);
    await ledger.apply(writes((known) => ({ ...known!, refreshing: undefined })));
    store.answers();
    expect(ledger.shared).toBe(true);
  });

  it("stays in memory while another tab refreshes there", async () => {
    const { ledger, store } = await cutOff();
    await ledger.apply(writes((known) => ({ ...known!, fence: 9, refreshing: lease("tab 9") })));
    store.answers();
    expect(ledger.shared).toBe(false);
  });

  it.each([
    ["storage has the lease of the other tab", { fence: 9, refreshing: lease("tab 9") }],
    ["the other tab has committed since", { fence: 9, by: "tab 9", version: 5, committedAt: 9_000 }],
  ])(
    "R88 does not stay in memory where %s, since it would present the same token (simulation, seed 3164 with storage-hangs)",
    async (_, theirs) => {
      const { ledger, store } = await cutOff();
      await ledger.apply(writes((known) => ({ ...known!, fence: 9, refreshing: lease("tab 9") })));
      store.value = record(theirs);
      store.answers();
      expect([ledger.shared, ledger.current]).toMatchObject([true, theirs]);
    },
  );
});

it("R88 a change that storage gets after a hang builds on what a tab without storage has told before", async () => {
  const { ledger, store } = await stored();
  const found: unknown[] = [];
  void ledger.apply(writes((known) => void found.push([known?.by, known?.version])));
  void ledger.receive(record({ by: "tab 9", version: 4, committedAt: 3_000 }), false);
  store.answers();
  expect([found, store.value]).toMatchObject([[["tab 9", 4]], { by: "tab 9", version: 4 }]);
});
