import { describe, expect, it } from "vitest";
import type { WorldTab } from "../../src/testing/world.js";
import { HOUR, SECOND, scene as set } from "../support/scene.js";

/** Storage that takes its time in some tabs; without it, tabs hand each other the access token. */
function scene() {
  let delay = (_: Pick<WorldTab, "name">): number => 1;
  const stage = set({ shares: true, world: { delays: { store: (tab) => delay(tab) } } });
  return Object.assign(stage, {
    slow(next: (tab: Pick<WorldTab, "name">) => number) {
      delay = next;
    },
  });
}

describe("storage that does not answer a sign-in in time, and answers later (simulation, seeds 63, 397, 669)", () => {
  it("R26 has the session then: the next page finds it, and can renew it", async () => {
    const stage = scene();
    const app = await stage.open();
    stage.slow(() => 4 * SECOND);
    await stage.clock.until(app.session.signIn(stage.server.signIn()), 3_100);
    expect([app.status(), await stage.call(app)]).toEqual(["signed-in", 200]);
    stage.slow(() => 1);
    await stage.clock.advance(30 * SECOND);
    app.tab.close();
    const next = await stage.open();
    expect([next.status(), await stage.call(next)]).toEqual(["signed-in", 200]);
    await stage.clock.advance(2 * HOUR);
    expect([next.status(), await stage.call(next), stage.server.stats.reused]).toEqual(["signed-in", 200, 0]);
  });

  it("R26 gets the tokens as they are by then: those that were used meanwhile are not sent again", async () => {
    const stage = scene();
    const app = await stage.open();
    stage.slow(() => 20 * SECOND);
    await stage.clock.until(app.session.signIn(stage.server.signIn()), 3_100);
    await stage.clock.until(app.session.refresh());
    await stage.clock.advance(10 * 60 * SECOND);
    stage.slow(() => 1);
    const next = await stage.open();
    await stage.clock.until(next.session.refresh());
    expect([stage.server.stats.refreshes, stage.server.stats.reused]).toEqual([2, 0]);
    await stage.clock.advance(SECOND);
    expect(stage.serial(app)).toBe(stage.serial(next));
  });

  it("R26 has its means to renew also when another tab has taken in what it was told of it (simulation, seed 22967)", async () => {
    const stage = scene();
    const other = await stage.open();
    for (let time = 0; time < 3; time += 1) {
      await stage.clock.until(other.session.signIn(stage.server.signIn()));
      await stage.clock.until(other.session.signOut());
    }
    const tab = stage.world.tab();
    stage.slow((one) => (one === tab ? 20 * SECOND : 1));
    const app = await stage.open({}, { tab });
    await stage.clock.until(app.session.signIn(stage.server.signIn("grace")), 3_100);
    await stage.clock.advance(SECOND);
    expect(other.bare.getSnapshot().claims).toMatchObject({ sub: "grace" });
    await stage.clock.advance(60 * SECOND);
    stage.slow(() => 1);
    await stage.clock.advance(60 * SECOND);
    expect(await stage.outcome(other.session.refresh())).toBe("refreshed");
    app.tab.close();
    await stage.clock.advance(2 * HOUR);
    expect([other.status(), await stage.call(other), stage.server.stats.reused]).toEqual(["signed-in", 200, 0]);
  });

  it("R38 of several sign-ins in a row has the last one then (simulation, seed 2115)", async () => {
    const stage = scene();
    const app = await stage.open();
    stage.slow(() => 30 * SECOND);
    const signIns = ["ada", "grace", "edsger"].map((subject) => app.session.signIn(stage.server.signIn(subject)));
    await stage.clock.until(Promise.all(signIns), 3_100);
    stage.slow(() => 1);
    await stage.clock.advance(60 * SECOND);
    const next = await stage.open();
    for (const { bare } of [app, next]) expect(bare.getSnapshot().claims).toMatchObject({ sub: "edsger" });
    expect(app.payloads("user-changed").map(({ after }) => after?.sub)).toEqual(["grace", "edsger"]);
  });

  it("R38 leaves it to whoever signed in later in another tab", async () => {
    const stage = scene();
    const [app, other] = [await stage.open(), await stage.open()];
    stage.slow((tab) => (tab === app.tab ? 5 * SECOND : 1));
    const first = app.session.signIn(stage.server.signIn("ada"));
    await stage.clock.advance(SECOND);
    await stage.clock.until(other.session.signIn(stage.server.signIn("grace")));
    await stage.clock.until(first, 3_100);
    await stage.clock.advance(60 * SECOND);
    for (const { bare } of [app, other]) expect(bare.getSnapshot().claims).toMatchObject({ sub: "grace" });
    expect([app.status(), other.status()]).toEqual(["signed-in", "signed-in"]);
  });
});
