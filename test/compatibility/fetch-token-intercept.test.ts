import { describe, expect, it } from "vitest";
import { json } from "../../src/testing/reply.js";
import type { Session } from "../../src/types.js";
import { scene } from "../support/scene.js";

/** What is not seen under its number in test/scenarios. */
describe("fetch-token-intercept's behaviour", () => {
  it.each([
    ["F23 in the background", false],
    ["F24 waited for", true],
  ])("a header asks for an early refresh, %s: 200, sent once, since what succeeded is not sent again", async (_, waits) => {
    const stage = scene();
    let session: Session | undefined;
    const app = await stage.signedIn({
      async classify({ response }) {
        const early = response?.headers.has("x-refresh") ? session?.refresh() : undefined;
        if (waits) await early;
        return "ok" as const;
      },
    });
    session = app.session;
    stage.server.apiAnswer = () => json(200, {}, { "x-refresh": "1" });
    expect(await stage.call(app)).toBe(200);
    if (waits) expect(stage.server.stats.refreshes).toBe(1);
    await stage.clock.advance(100);
    expect([stage.server.stats.refreshes, stage.server.apiCalls.length]).toEqual([1, 1]);
  });

  it("F7 F12 signing out empties: nothing can be read back, and requests go through plainly", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    await stage.clock.until(app.session.signOut());
    expect([app.bare.peekToken(), app.bare.getSnapshot().claims, await stage.call(app)]).toEqual([null, null, 401]);
    expect(stage.server.apiCalls[0]?.bearer).toBe("none");
  });
});
