import { describe, expect, it, onTestFinished, vi } from "vitest";
import { makeJwt } from "../../src/testing/jwt.js";
import { readClaims } from "../../src/token/claims.js";
import { HOUR, scene } from "../support/scene.js";

const groups = Array.from({ length: 8_000 }, (_, index) => `/organisation/group-${index}`);

/** How often a token of more than 100 kB is decoded from now on. */
function countDecodings(): () => number {
  const spy = vi.spyOn(globalThis, "atob");
  onTestFinished(() => spy.mockRestore());
  return () => spy.mock.calls.filter(([text]) => text.length > 100_000).length;
}

describe("R83 a large token", () => {
  it("is made by makeJwt, and read", () => {
    expect(readClaims(makeJwt({ groups }))).toEqual({ groups });
  });

  it("is decoded once at the sign-in, and once for each renewal", async () => {
    const decodings = countDecodings();
    const stage = scene();
    const app = await stage.signedIn({}, stage.server.signIn("ada", { groups }));
    expect([decodings(), app.bare.getSnapshot().claims]).toEqual([1, expect.objectContaining({ groups })]);
    for (const count of [2, 3, 4]) {
      await stage.clock.until(app.session.refresh());
      expect(decodings()).toBe(count);
    }
    await stage.clock.advance(2 * HOUR);
    expect(decodings()).toBe(1 + stage.server.stats.refreshes);
  });

  it("is decoded once where it is the id token beside an opaque one, or cannot be decoded at all", async () => {
    const decodings = countDecodings();
    const stage = scene({ server: { format: "opaque" } });
    const app = await stage.open();
    await stage.clock.until(app.session.signIn({ ...stage.server.signIn(), id_token: makeJwt({ sub: "ada", groups }) }));
    await stage.clock.until(app.session.refresh());
    expect([decodings(), app.bare.getSnapshot().claims]).toEqual([1, { sub: "ada", groups }]);
    await stage.clock.until(app.session.signIn({ access_token: `e30.${btoa("no JSON ".repeat(20_000))}.x` }));
    expect([decodings(), app.bare.getSnapshot().claims]).toEqual([2, null]);
  });
});
