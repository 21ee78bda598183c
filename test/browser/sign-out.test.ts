import { describe, expect, it, onTestFinished } from "vitest";
import { signOutAndLeave, startSiteToLeave } from "./harness/leaving.js";
import { cannot, useBrowser } from "./harness/scenario.js";
import { ways } from "./harness/ways-to-leave.js";

const browser = useBrowser();

/** All of them, several times, are for `npm run test:full`; `npm run leaving` counts. */
const few = process.env.TOKENTIDE_FEW === "1";
const rounds = few ? 1 : 3;

describe("R85 the only tab signs out and is gone at once: the next page is signed out, and removes the refresh token", () => {
  for (const way of ways.filter(({ quick }) => quick || !few)) {
    it(way.name, { timeout: 120_000 }, async (context) => {
      const reason = way.impossible?.(browser.current) || "";
      cannot(context, reason !== "", reason);
      const site = await startSiteToLeave(browser.current);
      onTestFinished(() => site.close());

      const found: unknown[] = [];
      for (let round = 0; round < rounds; round++) found.push(await signOutAndLeave(browser.current, site, way));

      expect(found).toEqual(Array(rounds).fill({ status: "signed-out", tokenLeft: false }));
      expect(site.server.stats).toMatchObject({ attempts: 0, reused: 0 });
    });
  }
});
