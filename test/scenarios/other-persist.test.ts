import { describe, expect, it } from "vitest";
import { revokingStrategy, type Scene, SECOND, scene } from "../support/scene.js";

const stored = ({ world: { stores } }: Scene) => JSON.stringify(stores.names().map((name) => stores.read(name)));

describe("R90 tabs with different `persist`", () => {
  it("of a session that is stored: a tab in memory mode renews it, and leaves it stored", async () => {
    const stage = scene();
    const first = await stage.signedIn();
    const second = await stage.open({ persist: "memory" });
    expect(await stage.clock.until(second.session.refresh())).toBe("refreshed");
    await stage.clock.advance(SECOND);
    expect(stored(stage)).toContain('"refreshToken":');
    for (const app of [first, second]) app.tab.close();
    const next = await stage.open();
    expect([next.status(), await stage.clock.until(next.session.refresh())]).toEqual(["signed-in", "refreshed"]);
  });

  it("of a session in memory mode: a tab that may store takes the access token, and stores no token", async () => {
    const stage = scene({ shares: true });
    const owner = await stage.signedIn({ persist: "memory" });
    const other = await stage.open();
    expect([other.status(), stage.serial(other)]).toEqual(["signed-in", 1]);
    expect(await stage.clock.until(other.session.refresh())).toBe("adopted");
    await stage.clock.advance(SECOND);
    expect([stage.serial(owner), stage.serial(other)]).toEqual([2, 2]);
    expect(stored(stage)).not.toMatch(/"(refresh|access)Token":/);
  });

  it("keep to the way of the tab that signed in last, and the former session in memory is revoked", async () => {
    const stage = scene({ shares: true, session: { refresh: revokingStrategy() } });
    const owner = await stage.signedIn({ persist: "memory" });
    const other = await stage.signedIn({}, stage.server.signIn("grace"));
    await stage.clock.advance(SECOND);
    expect(stored(stage)).toContain('"refreshToken":');
    expect([owner.status(), other.status(), stage.server.stats.revocations]).toEqual(["signed-in", "signed-in", 1]);
    await stage.clock.until(other.session.signOut());
    await stage.clock.until(owner.session.signIn(stage.server.signIn()));
    await stage.clock.advance(SECOND);
    expect(stored(stage)).not.toMatch(/"(refresh|access)Token":/);
  });
});
