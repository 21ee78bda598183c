import { describe, expect, it } from "vitest";
import { abortsAndRepeats, tokentide } from "../bench/fleet/policies.js";
import { type Plan, type Policy, simulate } from "../bench/fleet/simulate.js";
import { seeded } from "../src/testing/chance.js";
import { json } from "../src/testing/reply.js";
import { SECOND, scene } from "./support/scene.js";

const LIFE = 900;
/** Tokens are young then: nothing but the trouble causes a renewal. */
const [from, to] = [LIFE * SECOND, (LIFE + 300) * SECOND];
const plan: Plan = { clients: 1, lifetime: LIFE * SECOND, signInWithin: 0, until: to, active: 1, callEvery: 10 * SECOND };

/** The seconds after `from` at which one client of the fleet asks for a token. */
function simulated(policy: Policy, trouble: Partial<Plan>) {
  const { requests, ...outcome } = simulate({ ...policy, due: () => LIFE * SECOND }, { ...plan, ...trouble }, seeded(1));
  return { ...outcome, seconds: [...requests.subarray(LIFE)].flatMap((count, second) => (count ? [second] : [])) };
}

describe("a client of the fleet does what a session does", () => {
  it("R49 while an API refuses every token for five minutes: it renews at the same calls, and stays signed in", async () => {
    const stage = scene({ server: { accessSeconds: LIFE } });
    const app = await stage.signedIn({ lead: 90_000 });
    stage.server.apiAnswer = () => json(401, {});
    const renewals: number[] = [];
    for (let call = 0; call < 30; call++) {
      const before = stage.server.stats.attempts;
      expect(await stage.call(app)).toBe(401);
      if (stage.server.stats.attempts > before) renewals.push(call);
      await stage.clock.advance(10 * SECOND);
    }
    const { seconds, forRefusals } = simulated(tokentide, { refusals: { from, to } });
    const [first = 0] = seconds.slice(1);
    // The first of them is the renewal that was due.
    expect(seconds.slice(1).map((second) => Math.round((second - first) / 10))).toEqual(renewals);
    expect(forRefusals).toBe(renewals.length);
    expect(app.session.getSnapshot().status).toBe("signed-in");
  });

  it.each([12, 29])("R84 while the auth server answers after %i s: it asks once, and stays signed in", async (latency) => {
    const stage = scene({ server: { accessSeconds: LIFE } });
    const app = await stage.signedIn({ lead: 90_000 });
    stage.server.latency = { before: () => 0, after: () => latency * SECOND };
    await stage.clock.advance(LIFE * SECOND);
    expect(stage.server.stats).toMatchObject({ attempts: 1, reused: 0 });
    expect(app.session.getSnapshot().status).toBe("signed-in");
    const { seconds, signedOut } = simulated(tokentide, { slow: { from, to, latency: latency * SECOND } });
    expect({ seconds, signedOut }).toEqual({ seconds: [0], signedOut: 0 });
  });

  it("R84 gives up after the same time: an answer after 31 s is lost for both", async () => {
    const stage = scene({ server: { accessSeconds: LIFE } });
    const app = await stage.signedIn({ lead: 90_000 });
    stage.server.latency = { before: () => 0, after: () => (stage.server.stats.attempts === 1 ? 31 * SECOND : 0) };
    await stage.clock.advance((LIFE + 60) * SECOND);
    expect(app.session.getSnapshot().status).toBe("signed-out");
    const { seconds, signedOut } = simulated(tokentide, { slow: { from, to, latency: 31 * SECOND } });
    expect(seconds[1]).toBeGreaterThanOrEqual(30);
    expect(signedOut).toBe(1);
  });
});

describe("a strict server of the fleet", () => {
  it("R84 signs out a client that aborts its request and sends the used refresh token once more", () => {
    const { seconds, signedOut } = simulated(abortsAndRepeats, { slow: { from, to, latency: 12 * SECOND } });
    expect({ seconds, signedOut }).toEqual({ seconds: [0, 10], signedOut: 1 });
  });
});
