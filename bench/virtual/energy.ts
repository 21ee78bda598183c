import { openTabs } from "./stage.js";

const HOUR = 3_600_000;
const TOKEN = 300;

/** A page that nobody sees for an hour, with tokens of five minutes. */
export async function energy() {
  return { kept: await hiddenHour(true), lapsing: await hiddenHour(false) };
}

async function hiddenHour(renewWhileHidden: boolean) {
  const { clock, server, tabs } = await openTabs(1, TOKEN, { renewWhileHidden });
  const [page] = tabs;
  // The life of a first token is cut short by chance.
  await clock.until(page!.session.refresh(), 20_000);
  page!.tab.hidden = true;
  page!.wakeUps = 0;
  const before = server.stats.attempts;
  await clock.advance(HOUR);
  // So many that no two of them are needed for one token.
  const fewest = Math.floor(HOUR / 1000 / TOKEN);
  const outcome = { refreshes: server.stats.attempts - before, fewest, wakeUps: page!.wakeUps, valid: page!.session.peekToken() !== null };
  page!.session.dispose();
  return outcome;
}
