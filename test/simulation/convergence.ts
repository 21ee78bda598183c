import type { App } from "./app.js";
import type { Browser } from "./browser.js";
import { slowest } from "./features/mixed.js";
import type { Plan } from "./plan.js";
import { API_URL } from "./platform/network.js";
import type { Page } from "./platform/page.js";

/** The longest pause after failures is two minutes; then come a deadline, a takeover, and the life of one token. */
const pauses = 125_000;
const STEP = 10_000;

/**
 * P4, once faults have stopped: within a bound in which the number of tabs does not occur, every living tab has a token that is good at
 * the server. Where the grant is lost, all have come to know it.
 */
export async function convergence(browser: Browser, plan: Plan): Promise<void> {
  const { observer, features } = browser;
  const { refreshTimeout, takeoverAfter } = slowest(plan);
  const bound = pauses + 2 * refreshTimeout + takeoverAfter + plan.accessSeconds * 1_000;
  const apps = browser.apps.filter(({ page }) => !page.tab.dead);
  // Whoever has a good token after a whole lifetime has got it since.
  const least = plan.accessSeconds * 1_000 + 2 * refreshTimeout + 6_000;
  await advance(browser, least);
  for (let passed = least; passed < bound && (faults(browser, plan, apps).length > 0 || apps.some((app) => app.waits)); passed += STEP) {
    await advance(browser, STEP);
  }
  // A session asks a storage that has kept silent again within a minute.
  const isAlone = () => plan.kinds.has("storage-hangs") && apps.some(({ id }) => observer.isAlone(id));
  for (let passed = 0; passed < 61_000 && isAlone(); passed += STEP) await advance(browser, STEP);
  for (const app of apps) app.settle();
  if (faults(browser, plan, apps).length > 0) await lookAgain(browser, plan, apps);
  for (const fault of faults(browser, plan, apps)) observer.violateIfPromised("P4", fault);
  await features.atEnd(apps);
  if (plan.store && plan.mode === "cookie" && !observer.hasBegun(cookieOf(browser)))
    observer.count("a login whose page died before it told the session");
}

async function advance({ clock, features }: Browser, milliseconds: number): Promise<void> {
  for (let left = milliseconds; left > 0; left -= STEP) {
    features.step();
    await clock.advance(Math.min(STEP, left));
  }
}

/** What a tab that nobody uses may not notice by itself. */
async function lookAgain(browser: Browser, plan: Plan, apps: readonly App[]): Promise<void> {
  if (!plan.channel) {
    // Nobody tells a tab that is signed out: it looks when somebody looks at it.
    for (const { page } of apps) page.signal("wake");
    await browser.clock.advance(1_000);
  }
  if (plan.skewed || plan.kinds.has("clock-jump")) {
    // How long ago a token was stored, a wrong clock cannot tell: what it takes for fresh is renewed when the API says so.
    for (const app of apps) if (stateOf(browser, app).startsWith("signed-in")) app.fetch(API_URL);
    // Looked at when it has been, since a token may live for less than a call may take.
    const longest = 2 * slowest(plan).refreshTimeout + 5_000;
    for (let passed = 0; passed < longest && apps.some((app) => app.waits); passed += 1_000) await browser.clock.advance(1_000);
  }
}

/** Where the tabs differ from what the world says they should be. */
function faults(browser: Browser, plan: Plan, apps: readonly App[]): string[] {
  const states = apps.map((app) => ({ app, state: stateOf(browser, app) }));
  if (!plan.store) return new Set(states.map(({ state }) => state)).size > 1 ? ["there are two truths"] : [];
  const { stored: record, epochs } = browser.observer;
  const session = browser.session && epochs.get(browser.session.epoch);
  const cookies = plan.mode === "cookie";
  const inMemory = (page: Page | undefined) => plan.mode === "memory" || (page !== undefined && browser.features.keepsInMemory(page));
  // A login replaces the cookie at once. If its page dies before the session hears of it, nobody can tell, nor bring the former one back.
  const begun = [...epochs.values()].at(-1);
  const last = cookies ? cookieOf(browser) : begun?.grant;
  // What ended may be a session that was begun after it, while storage did not answer, and which storage has never seen.
  const later = !record?.signedIn && record && begun && record.signedInAt > begun.signedInAt;
  const explained = record && browser.features.explainsEnd(record);
  if (
    last &&
    browser.observer.hasBegun(last) &&
    !record?.signedIn &&
    !later &&
    !explained &&
    !last.revoked &&
    !last.signedOut &&
    !inMemory(begun?.page) &&
    !record?.inMemory
  ) {
    return [`grant ${last.id} is good, and its session is over: ${record?.reason}`];
  }
  const { grant = undefined, page: owner } = session && cookies ? { ...session, grant: last } : (session ?? {});
  // A tab in memory mode took the tokens out of storage. From then on, the session lives in the tabs that have the refresh token.
  const moved = !!record?.inMemory && !inMemory(owner);
  if (moved && !apps.some(({ id }) => id === record.by)) return [];
  // Storage did not answer the sign-in, and the tab that had the refresh token is gone, or is of an older release, which never stores it.
  const isLost = !!owner && (owner.tab.dead ? plan.kinds.has("storage-hangs") : browser.features.writesNothing(owner));
  const isOrphaned = !moved && isLost && record?.renewedBy === "refreshToken" && !record.tokens?.refreshToken;
  const good =
    grant && !grant.revoked && !(inMemory(owner) && owner?.tab.dead) && !isOrphaned && !(record && browser.features.isLost(record, grant));
  const wanted = good ? `grant ${grant.id}` : "signed-out";
  return states
    .filter(
      ({ app, state }) =>
        state !== wanted &&
        !browser.features.excuses(app) &&
        !(good && (moved || inMemory(owner)) && !plan.channel && app.id !== record?.by),
    )
    .map(({ app, state }) => `${app.page.name} is ${state} when all should be ${wanted}`);
}

const cookieOf = ({ authority, network }: Browser) => authority.grantOf(network.jar);

/** Which grant a tab is good for, as the server judges its token; else its status. */
function stateOf(browser: Browser, { session }: App): string {
  const { status } = session.getSnapshot();
  if (status !== "signed-in") return status;
  const token = session.peekToken();
  const grant = token && browser.authority.accepts(token) ? browser.authority.grantOf(token) : undefined;
  return grant ? `grant ${grant.id}` : "signed-in without a good token";
}
