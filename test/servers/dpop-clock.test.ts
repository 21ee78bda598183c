import { describe, expect, it } from "vitest";
import { start, words } from "./dpop-page.js";

const HOUR = 3_600_000;

describe.each(["required", "if late", "never"] as const)("a device's clock and the proofs, on oidc-provider with nonces %s", (nonces) => {
  const cases = (["jwt", "opaque"] as const).flatMap((format) => [HOUR, -HOUR].map((ahead) => ({ nonces, format, ahead })));

  it.each(cases)("an hour wrong from the first, and set right while the page is open: $format, $ahead ms ahead", async (options) => {
    const { page, set, clock, servers, call, refresh, failures } = await start(options);
    expect([await call(), await refresh(), await call()]).toEqual([200, "refreshed", 200]);
    const asked = words(servers.seen());
    // One refusal at most for each of the two endpoints: then the clock is known, or the nonce.
    expect(asked.filter((word) => !/200/.test(word)).length, asked.join()).toBeLessThanOrEqual(2);
    await clock.advance(6 * HOUR);
    expect(await call()).toBe(200);
    set(-options.ahead);
    expect([await call(), await refresh(), await call()]).toEqual([200, "refreshed", 200]);
    expect([page.session.getSnapshot().status, failures]).toEqual(["signed-in", []]);
  });

  it.each(cases)("an hour wrong from the first, and set right between two pages: $format, $ahead ms ahead", async (options) => {
    const { page, set, open, device, call, refresh, failures } = await start(options);
    expect([await call(), await refresh()]).toEqual([200, "refreshed"]);
    page.session.dispose();
    set(-options.ahead);
    const next = await open(device.environment);
    expect([await call(next), await refresh(next), await call(next)]).toEqual([200, "refreshed", 200]);
    expect([next.session.getSnapshot().status, failures]).toEqual(["signed-in", []]);
  });

  it.each(["jwt", "opaque"] as const)("set back by an hour while the page is open, and set right again: %s", async (format) => {
    const { page, set, clock, call, refresh, failures } = await start({ nonces, format });
    expect([await call(), await refresh(), await call()]).toEqual([200, "refreshed", 200]);
    for (const change of [-HOUR, HOUR]) {
      set(change);
      expect([await call(), await refresh(), await call()], `set by ${change} ms`).toEqual([200, "refreshed", 200]);
      await clock.advance(2 * HOUR);
      expect(await call()).toBe(200);
    }
    expect([page.session.getSnapshot().status, failures]).toEqual(["signed-in", []]);
  });

  it("set ahead by an hour: without nonces, the session waits until the clock is right again", async () => {
    const { page, set, clock, call, failures } = await start({ nonces });
    expect(await call()).toBe(200);
    set(HOUR);
    expect(await call()).toBe(nonces === "never" ? 401 : 200);
    await clock.advance(HOUR / 2);
    set(-HOUR);
    await clock.advance(10 * 60_000);
    expect([await call(), page.session.getSnapshot().status]).toEqual([200, "signed-in"]);
    expect(new Set(failures)).toEqual(new Set(nonces === "never" ? ["server"] : []));
  });
});
