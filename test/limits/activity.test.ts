import { describe, expect, it } from "vitest";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { createActivity } from "../../src/limits/activity.js";
import { createClock } from "../../src/platform/clock.js";
import { World } from "../../src/testing/world.js";
import { record } from "../ledger/records.js";

const AFTER = 600_000;

function setUp({ most = AFTER } = {}) {
  const world = new World();
  const begun = world.clock.now();
  const session = (changes: Partial<LedgerRecord> = {}) => record({ signedInAt: begun, committedAt: begun, ...changes });
  function open(current = session()) {
    const tab = world.tab();
    const ledger: { current: LedgerRecord | undefined } = { current };
    let looks = 0;
    const { environment } = tab;
    const synchronize = () => {
      looks += 1;
    };
    const activity = createActivity({ environment, clock: createClock(environment), ledger, key: "s", synchronize }, AFTER, most);
    /** When a user was last active, in milliseconds since the sign-in, and how often the ledger was asked since the last time. */
    const seen = () => {
      const asked = looks;
      looks = 0;
      return [activity.at(ledger.current ?? session()) - begun, asked];
    };
    return { activity, ledger, seen, tab };
  }
  const post = async (message: unknown) => {
    const { environment } = world.tab();
    environment.openChannel?.("s:activity").postMessage(message);
    await world.clock.advance(10);
  };
  return { world, open, session, begun, post };
}

describe("R41 the last sign of life", () => {
  it("is the sign-in at first, or what the ledger knows, or what this tab has seen since", async () => {
    const { world, open, session, begun } = setUp();
    const { activity, seen } = open();
    expect(seen()).toEqual([0, 0]);
    expect(activity.at(session({ lastActivityAt: begun + 7 })) - begun).toBe(7);
    await world.clock.advance(5_000);
    activity.touch();
    expect(seen()).toEqual([5_000, 1]);
    expect(activity.at(session({ lastActivityAt: begun + 7_000 })) - begun, "a later one").toBe(7_000);
    expect(activity.at(session({ epoch: 8 })) - begun, "of another session").toBe(0);
  });

  it("is told to the other tabs at once, and then every thirty seconds at most, however active the user is", async () => {
    const { world, open } = setUp();
    const [here, there] = [open(), open()];
    await world.clock.advance(1_000);
    for (let second = 0; second < 59; second += 1) {
      here.activity.touch();
      await world.clock.advance(1_000);
    }
    expect(here.seen()).toEqual([59_000, 2]);
    expect(there.seen(), "of the first and the thirty-first second").toEqual([30_000, 2]);
    await world.clock.advance(1_010);
    expect([here.seen(), there.seen(), here.tab.timers.size]).toEqual([[59_000, 1], [59_000, 1], 0]);
  });

  it("is told more often where the limit is short", async () => {
    const { world, open } = setUp({ most: 2_000 });
    const { activity, seen } = open();
    for (let second = 0; second < 5; second += 1) {
      activity.touch();
      await world.clock.advance(1_000);
    }
    expect(seen()[1]).toBe(3);
  });

  it("counts up to the limit, and not at it: what is over is looked at, and does not come back", async () => {
    const { world, open } = setUp();
    const { activity, seen } = open();
    await world.clock.advance(AFTER - 1);
    activity.touch();
    expect(seen()).toEqual([AFTER - 1, 1]);
    const other = open();
    await world.clock.advance(1);
    other.activity.touch();
    expect(other.seen()).toEqual([0, 1]);
  });

  it("counts for nobody who is signed out", async () => {
    const { world, open, session } = setUp();
    const [none, ended, heard] = [open(), open(session({ signedIn: false })), open()];
    none.ledger.current = undefined;
    await world.clock.advance(1_000);
    for (const { activity } of [none, ended]) activity.touch();
    await world.clock.advance(1_000);
    expect([none.seen(), ended.seen(), heard.seen()]).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
  });
});

describe("R41 what another tab says of a user's activity", () => {
  it("R10 is believed of this session, and of no moment to come or after the limit; the ledger is asked all the same", async () => {
    const { world, open, post, begun } = setUp();
    const { seen } = open();
    await world.clock.advance(10_000);
    const lies = [
      ...[null, 7, "text", {}, { epoch: 7 }, { epoch: 7, at: "soon" }, { epoch: 7, at: Number.NaN }],
      ...[
        { epoch: 8, at: begun + 1_000 },
        { epoch: 7, at: begun + 15_000 },
        { epoch: 7, at: begun + 3_600_000 },
        { epoch: 7, at: begun + AFTER },
      ],
    ];
    for (const lie of lies) await post(lie);
    await world.clock.advance(10_000);
    expect(seen()).toEqual([0, lies.length]);
    await post({ epoch: 7, at: begun + 9_000 });
    await post({ epoch: 7, at: begun + 8_000 });
    expect(seen(), "the later of two").toEqual([9_000, 2]);
  });
});

describe("a page with an idle limit", () => {
  it("R11 tells what it has not told yet when it leaves, and hears again when it is back", async () => {
    const { world, open } = setUp();
    const [here, there] = [open(), open()];
    await world.clock.advance(1_000);
    here.activity.touch();
    await world.clock.advance(1_000);
    here.activity.touch();
    here.activity.leave();
    await world.clock.advance(10);
    expect(there.seen()).toEqual([2_000, 2]);
    expect([here.tab.timers.size, world.channels.openIn(here.tab)]).toEqual([0, 0]);

    await world.clock.advance(60_000);
    there.activity.touch();
    await world.clock.advance(10);
    expect(here.seen()[0]).toBe(2_000);
    here.activity.comeBack();
    await world.clock.advance(60_000);
    there.activity.touch();
    await world.clock.advance(10);
    expect(here.seen()[0]).toBe(122_010 + 10);
  });

  it("has nothing to tell when it leaves where all was told", async () => {
    const { world, open } = setUp();
    const [here, there] = [open(), open()];
    await world.clock.advance(1_000);
    here.activity.touch();
    await world.clock.advance(10);
    there.seen();
    here.activity.leave();
    await world.clock.advance(10);
    expect(there.seen()).toEqual([1_000, 0]);
  });

  it("R35 leaves no timer and no channel when it is stopped, and notes nothing any more", async () => {
    const { world, open } = setUp();
    const { activity, seen, tab } = open();
    await world.clock.advance(1_000);
    for (const _ of "12") activity.touch();
    activity.stop();
    await world.clock.advance(60_000);
    activity.touch();
    expect([seen(), tab.timers.size, world.channels.openIn(tab)]).toEqual([[1_000, 1], 0, 0]);
  });
});
