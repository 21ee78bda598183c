import type { App } from "./app.js";
import type { Browser } from "./browser.js";
import type { Plan } from "./plan.js";
import { API_URL } from "./platform/network.js";

/** The longest pause after failures is two minutes; then come a deadline, a takeover, and the life of one token. */
const pauses = 125_000;

/**
 * P4, once faults have stopped: within a bound in which the number of tabs does not occur, every living tab has a token that is good at
 * the server. Where the grant is lost, all have come to know it.
 */
export async function convergence(browser: Browser, plan: Plan): Promise<void> {
  const bound = pauses + 2 * plan.refreshTimeout + plan.takeoverAfter + plan.accessSeconds * 1_000;
  await browser.clock.advance(bound);
  const apps = browser.apps.filter(({ page }) => !page.tab.dead);
  if (!plan.channel) {
    // Nobody tells a tab that is signed out: it looks when somebody looks at it.
    for (const { page } of apps) page.signal("wake");
    await browser.clock.advance(1_000);
  }
  if (plan.skewed || plan.kinds.has("clock-jump")) {
    // How long ago a token was stored, a wrong clock cannot tell: what it takes for fresh is renewed when the API says so.
    for (const app of apps) if (stateOf(browser, app).startsWith("signed-in")) app.fetch(API_URL);
    await browser.clock.advance(2 * plan.refreshTimeout + 5_000);
  }
  for (const app of apps) app.settle();
  const { observer } = browser;
  const record = observer.stored;
  if (!plan.store) {
    const states = new Set(apps.map((app) => stateOf(browser, app)));
    if (states.size > 1) observer.tolerated.set("P4", (observer.tolerated.get("P4") ?? 0) + 1);
    return;
  }
  const session = record?.signedIn ? observer.epochs.get(record.epoch) : undefined;
  const grant = session?.grant;
  const last = [...observer.epochs.values()].at(-1)?.grant;
  if (last && !record?.signedIn && !last.revoked && !last.signedOut && plan.mode !== "memory") {
    observer.violate("P4", `grant ${last.id} is good, and its session is over: ${record?.reason}`);
  }
  const ownerIsGone = plan.mode === "memory" && session?.page.tab.dead === true;
  for (const app of apps) {
    const state = stateOf(browser, app);
    const good = grant && !grant.revoked && !ownerIsGone;
    // Without a channel nobody can hand over an access token that is not stored.
    if (good && plan.mode === "memory" && session?.page !== app.page && !plan.channel) continue;
    const wanted = good ? `grant ${grant.id}` : "signed-out";
    if (state !== wanted) observer.violate("P4", `${app.page.name} is ${state} when all should be ${wanted}`);
  }
}

/** Which grant a tab is good for, as the server judges its token; else its status. */
function stateOf(browser: Browser, { session }: App): string {
  const { status } = session.getSnapshot();
  if (status !== "signed-in") return status;
  const token = session.peekToken();
  const grant = token && browser.authority.accepts(token) ? browser.authority.grantOf(token) : undefined;
  return grant ? `grant ${grant.id}` : "signed-in without a good token";
}
