import { createSession, oauth2, type Session, type SessionOptions } from "../../src/index.js";
import { Clock } from "../../src/testing/clock.js";
import { API, TOKEN_ENDPOINT, TokenServer } from "../../src/testing/token-server.js";
import { World, type WorldTab } from "../../src/testing/world.js";

export interface CountedTab {
  readonly tab: WorldTab;
  readonly session: Session;
  /** How often a timer has run in it. */
  wakeUps: number;
}

/** A virtual browser with tabs that are signed in, and a clock to be moved. */
export async function openTabs(count: number, tokenSeconds: number, options: Partial<Omit<SessionOptions, "refresh">> = {}) {
  const clock = new Clock();
  const server = new TokenServer({ clock, accessSeconds: tokenSeconds });
  const world = new World({ clock, server: server.handle });
  const tabs: CountedTab[] = [];
  while (tabs.length < count) {
    const tab = world.tab();
    const { environment } = tab;
    const setTimeout: typeof environment.setTimeout = (callback, milliseconds) =>
      environment.setTimeout(() => {
        counted.wakeUps++;
        callback();
      }, milliseconds);
    // Its getters are to stay getters.
    const watched = Object.create(environment, { setTimeout: { value: setTimeout } }) as typeof environment;
    const session = createSession({
      refresh: oauth2({ tokenEndpoint: TOKEN_ENDPOINT, clientId: "spa" }),
      allowedOrigins: [API],
      environment: watched,
      ...options,
    });
    const counted: CountedTab = { tab, session, wakeUps: 0 };
    tabs.push(counted);
    await clock.until(session.ready, 5000);
    if (tabs.length === 1) await clock.until(session.signIn(server.signIn()));
  }
  await clock.advance(1000);
  return { clock, server, world, tabs };
}
