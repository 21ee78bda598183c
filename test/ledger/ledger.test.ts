import { describe, expect, it } from "vitest";
import { parseRecord } from "../../src/ledger/format.js";
import type { LedgerRecord, LedgerTokens } from "../../src/ledger/record.js";
import { signedOut, signOut } from "../../src/ledger/transitions/index.js";
import { openLedger, puts, setUp, writes } from "./ledger-scene.js";
import { moment, record } from "./records.js";

describe("the ledger", () => {
  it("starts empty, and is the same for all tabs after a write", async () => {
    const { open, write, found } = setUp();
    const [a, b] = [open(), open()];
    expect(await found(a.ledger)).toBeUndefined();
    await write(a.ledger);
    expect(await found(b.ledger)).toEqual(record());
    expect(b.seen).toMatchObject([{ record: record() }]);
  });

  it("R1 compares before it sets: of two tabs that change one version at once, the second sees the first's work", async () => {
    const { world, open, write } = setUp();
    const [a, b] = [open(), open()];
    await write(a.ledger);
    const commit = writes((known) => (known?.version === 3 ? { ...known, version: 4 } : undefined));
    await world.clock.until(Promise.all([a.ledger.apply(commit), b.ledger.apply(commit)]));
    expect(world.stores.writes).toHaveLength(2);
    expect(b.ledger.current?.version).toBe(4);
  });

  it("resolves when the write is durable, and tells nobody about what did not change", async () => {
    const { world, open, write } = setUp();
    const { ledger, seen } = open();
    await write(ledger);
    expect(world.stores.read("ledger")).toEqual(record());
    await write(ledger);
    expect(seen).toHaveLength(1);
  });

  it("R5 is read by all tabs that hear of a commit at the same time, however many they are", async () => {
    const { world, open, write } = setUp({}, { delays: { store: () => 10 } });
    const [writer, ...others] = Array.from({ length: 50 }, () => open()) as [ReturnType<typeof open>, ...ReturnType<typeof open>[]];
    await write(writer.ledger);
    const { tokens: _, ...told } = record();
    const before = world.clock.monotonic();
    await world.clock.until(Promise.all(others.map(({ ledger }) => ledger.receive(told, false))));
    expect(world.clock.monotonic() - before).toBeLessThan(50);
    expect(new Set(others.map(({ ledger }) => ledger.current?.tokens?.accessToken))).toEqual(new Set([record().tokens?.accessToken]));
  });

  it("R3 is written when what a sibling says is ahead of it", async () => {
    const { world, open, write } = setUp();
    const { ledger } = open();
    await write(ledger);
    await world.clock.until(ledger.receive(record({ version: 4 }), false));
    expect([world.stores.read("ledger"), ledger.current]).toMatchObject([{ version: 4 }, { version: 4 }]);
  });

  it("hears of nothing that was read before storage was given up", async () => {
    const { world, open, write } = setUp({}, { delays: { store: () => 1_000 } });
    const [writer, other] = [open(), open()];
    await write(writer.ledger);
    const looked = other.ledger.read();
    await world.clock.advance(500);
    void other.ledger.apply(puts({ version: 9 }), { within: 0 });
    await world.clock.advance(1_500);
    expect([other.ledger.shared, other.ledger.current?.version]).toEqual([false, 9]);
    await world.clock.until(looked);
    expect(other.ledger.current?.version).toBe(9);
  });

  it("R11 R35 lets go of the connection again when a look that was under way finds something to write", async () => {
    const { world, open } = setUp({}, { delays: { store: () => 10 } });
    const { ledger, tab } = open();
    world.stores.plant("ledger", "no record");
    const looked = ledger.read();
    await world.clock.advance(5);
    ledger.close();
    await world.clock.until(looked);
    expect([world.stores.connections(tab), world.stores.read("ledger")]).toEqual([0, null]);
  });

  it("memory mode keeps the tokens to this tab, and finds them again for the version they belong to", async () => {
    const { world, open, write, found } = setUp();
    const { ledger } = open();
    await write(ledger, { inMemory: true });
    expect(world.stores.read("ledger")).not.toHaveProperty("tokens.accessToken");
    expect(await found(ledger)).toEqual(record({ inMemory: true }));
    const other = open();
    expect((await found(other.ledger))?.tokens).toBeUndefined();
    await world.clock.until(other.ledger.receive(record({ inMemory: true, tokens: { accessToken: "access" } }), false));
    expect(other.ledger.current?.tokens?.accessToken).toBe("access");
  });

  it("R93 memory mode takes the tokens of a bound session from a message only with their key (simulation, seed 875)", async () => {
    const { world, write } = setUp();
    const open = (tab = world.tab()) => openLedger({ environment: tab.environment, tab: tab.name, dpop: true });
    const [owner, other] = [open(), open()];
    await write(owner.ledger, { bound: true, inMemory: true });
    const said = (tokens: LedgerTokens) => record({ bound: true, inMemory: true, tokens });
    await world.clock.until(other.ledger.receive(said({ accessToken: "forged" }), true));
    expect(other.ledger.current?.tokens).toBeUndefined();
    const binding = { keyPair: {} as CryptoKeyPair, scheme: "DPoP" } as const;
    await world.clock.until(other.ledger.receive(said({ accessToken: "access", binding }), true));
    expect(other.ledger.current?.tokens?.binding).toEqual(binding);
  });

  it("R3 takes in what a sibling says only when it is newer", async () => {
    const { world, open, write } = setUp({ store: true });
    const { ledger } = open();
    await write(ledger);
    await world.clock.until(ledger.receive(record({ version: 2, signedIn: false }), false));
    expect(ledger.current?.version).toBe(3);
    await world.clock.until(ledger.receive(record({ version: 4 }), false));
    expect([ledger.current?.version, ledger.shared, ledger.persistent]).toEqual([4, false, false]);
  });

  it("of two sign-outs at once the later one does not lower what is stored (simulation, seed 500025)", async () => {
    const { world, open, write } = setUp();
    const { ledger } = open();
    await write(ledger, { version: 9, fence: 5 });
    await world.clock.until(ledger.receive(record({ epoch: 8, version: 4, fence: 1, signedIn: false, tokens: undefined }), false));
    expect(ledger.current).toMatchObject({ epoch: 8, version: 9, fence: 5, signedIn: false });
  });

  const ofVault = record({ tokens: { accessToken: "access", refreshToken: "tokentide-handle:a.1" }, format: 1.25 });
  it.each([
    ["a session with other options", 1.25, "a record of such a session", ofVault],
    ["a session with other options", 1.25, "a record of its own", record()],
    ["a newer release", 2, "a record of its own", record()],
  ])("R86 does not store what it can read of a message from %s (format %d), over %s", async (_, format, __, before) => {
    const { world, open } = setUp();
    const { ledger } = open();
    const other = openLedger({ environment: world.tab().environment, tab: "tab 9", kept: true });
    await world.clock.until(other.ledger.apply(writes(() => before)));
    await world.clock.until(ledger.read());
    const said = record({ epoch: 8, format, tokens: { accessToken: "later" } });
    await world.clock.until(ledger.receive(parseRecord(said) as LedgerRecord, false));
    expect(world.stores.read("ledger")).toEqual(before);
  });

  it("R26 a commit that comes back counted higher leaves the refresh token where it is (simulation, seed 830589)", async () => {
    const { world, open, write } = setUp();
    const [{ ledger }, other] = [open(), open()];
    await write(ledger);
    await world.clock.until(other.ledger.receive(record({ version: 9, tokens: { accessToken: "access" } }), false));
    expect([world.stores.read("ledger"), other.ledger.current]).toEqual([record({ version: 9 }), record({ version: 9 })]);
  });

  it("R26 memory mode: the tab that can renew still can when another one has stored its commit counted higher", async () => {
    const { world, open, write, found } = setUp();
    const [{ ledger }, other] = [open(), open()];
    await write(ledger, { inMemory: true });
    await world.clock.until(other.ledger.receive(record({ version: 9, inMemory: true, tokens: { accessToken: "access" } }), false));
    expect(await found(ledger)).toEqual(record({ version: 9, inMemory: true }));
  });

  it.each(["denied", "full"] as const)("R26 goes on in memory when storage is %s, and warns once, without a token", async (trouble) => {
    const { world, open, write } = setUp();
    const { ledger, tab } = open();
    world.stores.trouble = () => trouble;
    await write(ledger);
    await write(ledger, { version: 4 });
    expect([ledger.current?.version, ledger.persistent, tab.reports.length]).toEqual([4, false, 1]);
    expect(JSON.stringify(tab.reports)).not.toMatch(/access|refresh/);
  });

  it("R26 warns again when storage fails again after it had come back", async () => {
    const { world, open, write } = setUp();
    const { ledger, tab } = open();
    for (const trouble of ["denied", "none", "denied", "none"] as const) {
      world.stores.trouble = () => trouble;
      await write(ledger);
      await world.clock.advance(100);
    }
    expect(tab.reports).toHaveLength(2);
  });

  it("R26 replaces what is corrupt, with one warning", async () => {
    const { world, open, write, found } = setUp();
    world.stores.plant("ledger", { garbage: true });
    const { ledger, tab } = open();
    expect(await found(ledger)).toBeUndefined();
    expect(tab.reports).toHaveLength(1);
    await write(ledger);
    expect([world.stores.read("ledger"), tab.reports.length]).toEqual([record(), 1]);
  });

  it("ends the session when somebody has cleared the site's data", async () => {
    const { world, open, write, found } = setUp();
    const { ledger } = open();
    await write(ledger);
    world.stores.clear();
    await found(ledger);
    expect(ledger.current).toMatchObject({ signedIn: false, reason: "storage-cleared" });
  });

  it("R25 R43 ends the session here at once, and in the ledger whatever others have written there meanwhile", async () => {
    const { world, open, write } = setUp();
    const [a, b] = [open(), open()];
    await write(a.ledger);
    const over = signedOut(a.ledger.current, moment({ now: world.clock.now(), tab: "tab 1" }), "user");
    await write(b.ledger, { version: 9, fence: 12 });
    const written = a.ledger.apply(signOut(over), { atOnce: over });
    expect(a.ledger.current?.signedIn).toBe(false);
    expect((await world.clock.until(written)).outcome).toMatchObject({ version: 9 });
    expect(world.stores.read("ledger")).toMatchObject({ signedIn: false, version: 10, fence: 12 });
    expect(world.stores.read("ledger")).not.toHaveProperty("tokens.accessToken");
  });

  it("abandoned while storage hangs, it writes nothing that was under way, and what waited is done in memory", async () => {
    const { world, open, found } = setUp();
    const { ledger } = open();
    world.stores.trouble = () => "hanging";
    void ledger.apply(puts());
    await world.clock.advance(10);
    const abandoned = ledger.apply(puts(), { within: 10 });
    expect(await found(ledger)).toEqual(record());
    expect((await abandoned).record).toEqual(record());
    expect([world.stores.writes.length, ledger.shared]).toEqual([0, false]);
  });
});
