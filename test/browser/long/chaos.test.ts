import { expect, it } from "vitest";
import type { TokenFault } from "../../../servers/faults.js";
import type { Tab } from "../harness/browser.js";
import { all, expectOneToken, seconds, useBrowser } from "../harness/scenario.js";

const browser = useBrowser();

/** In seconds. */
const soak = Number(process.env.TOKENTIDE_SOAK ?? 60);

/** None of them loses the answer to a rotation: nothing that happens here is a reason to end the session. */
const mishaps: TokenFault[] = [
  { kind: "down", times: 1 },
  { kind: "unreachable", times: 1 },
  { kind: "throttled", retryAfterSeconds: 1, times: 1 },
  { kind: "html-403", times: 1 },
  { kind: "slow", milliseconds: 700, times: 2 },
  { kind: "hang", times: 1 },
];

it(
  "R18 R21 R22 tabs that come, go, crash and reload, and a server that fails in every way but one, cost nobody the session",
  async () => {
    const seed = Number(process.env.TOKENTIDE_SEED ?? Date.now() % 1e6);
    console.log(`chaos: TOKENTIDE_SEED=${seed}`);
    const random = generator(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
    const session = { refreshTimeout: 1500, takeoverAfter: 4000 };
    const site = await browser.site({ accessTokenSeconds: 5, pollEvery: 300, session });
    const { stats, faults } = site.server;
    const tabs: Tab[] = await site.openSignedIn(5);
    const done: Record<string, number> = {};

    /** Nothing is rotated while a tab goes, since a rotation that nobody hears of is lost: that is for other tests. */
    const leave = async (tab: Tab, how: "close" | "crash" | "reload") => {
      faults.token = { kind: "hang" };
      const sent = await tab.run(() => app.token.sent);
      await expect.poll(() => tab.run(() => app.token.over)).toBeGreaterThanOrEqual(sent);
      // The answer to the last one is stored.
      await seconds(0.3);
      await tab[how]();
      faults.token = null;
      if (how !== "reload") tabs.splice(tabs.indexOf(tab), 1);
    };
    const actions = {
      fault: async () => {
        faults.token = { ...pick(mishaps) };
      },
      open: async () => void tabs.push(...(await site.open(1))),
      close: () => leave(pick(tabs), "close"),
      crash: () => leave(pick(tabs), "crash"),
      reload: () => leave(pick(tabs), "reload"),
    };

    for (const end = Date.now() + soak * 1000; Date.now() < end; ) {
      const action =
        tabs.length < 3
          ? "open"
          : pick(["fault", "fault", "fault", tabs.length < 8 ? "open" : "close", "close", "crash", "reload"] as const);
      await actions[action]();
      done[action] = (done[action] ?? 0) + 1;
      await seconds(random() * 2);
    }
    faults.token = null;

    // The longest a mark or a pause can stand, and one refresh.
    await seconds(10);
    await expectOneToken(tabs);
    const { attempts, refreshes, reused, revoked, apiOk, apiUnauthorized } = stats;
    console.log(`chaos: ${JSON.stringify({ done, attempts, refreshes, reused, revoked, apiOk, apiUnauthorized })}`);
    expect({ reused, revoked }).toEqual({ reused: 0, revoked: 0 });
    expect((await all(tabs, () => app.heard)).flat().filter((event) => event.startsWith("signed-out"))).toEqual([]);
    expect(await all(tabs, async () => (await app.session.fetch("/api/me")).status)).toEqual(tabs.map(() => 200));
  },
  (soak + 90) * 1000,
);

/** mulberry32: the same seed, the same story. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
