import { openTabs } from "./stage.js";

const ROUNDS = 20;
const MINUTE = 60_000;
const LIFE = 900;

/** What a rotation costs with so many tabs of one browser, counted; and what a tab does that has nothing to do. */
export async function rotations(count: number) {
  const { clock, server, world, tabs } = await openTabs(count, LIFE);
  const before = { refreshes: server.stats.attempts, messages: world.channels.posted.length };
  for (let round = 0; round < ROUNDS; round++) {
    await clock.until(tabs[round % count]!.session.refresh(), 20_000);
    await clock.advance(1000);
    const tokens = new Set(tabs.map(({ session }) => session.peekToken()));
    if (tokens.size !== 1 || tokens.has(null)) throw new Error(`after a rotation the ${count} tabs have ${tokens.size} tokens`);
  }
  const refreshes = (server.stats.attempts - before.refreshes) / ROUNDS;
  const posted = (world.channels.posted.length - before.messages) / ROUNDS;

  // Nothing is due yet.
  const quiet = { refreshes: server.stats.attempts, messages: world.channels.posted.length };
  for (const tab of tabs) tab.wakeUps = 0;
  const timers = Math.max(...tabs.map(({ tab }) => tab.timers.size));
  await clock.advance(5 * MINUTE);
  const wakeUpsAMinute = Math.max(...tabs.map(({ wakeUps }) => wakeUps)) / 5;
  const idle = {
    timers,
    wakeUpsAMinute,
    requests: server.stats.attempts - quiet.refreshes,
    messages: world.channels.posted.length - quiet.messages,
  };
  for (const { session } of tabs) session.dispose();
  return { tabs: count, refreshes, posted, delivered: posted * (count - 1), idle };
}
