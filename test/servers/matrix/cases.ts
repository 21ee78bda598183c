import { expect } from "vitest";
import { createSession } from "../../../src/index.js";
import type { Session } from "../../../src/types/index.js";
import type { CaseName, Expectations, Row, Setting } from "./row.js";

const HOUR = 3_600_000;

interface Stage extends Setting {
  readonly session: Session;
  readonly expects: Expectations;
  /** Status of the API's answer. */
  call(): Promise<number>;
  /** Waits for a promise with the device's time, which only real requests hold up. */
  until<T>(promise: Promise<T>): Promise<T>;
  advance(milliseconds: number): Promise<void>;
  /** Until the scheduler has renewed. */
  untilDue(): Promise<void>;
}

/** Runs one case in a setting of its own. Resolves with what the table says of it. */
export async function play(row: Row, name: CaseName): Promise<string> {
  const setting = await row.start(row.lifetime);
  const { device, options } = setting;
  const { clock } = device;
  if (name === "clock 1 h off") clock.jump(HOUR);
  const session = createSession({ name: "app", ...options, environment: device.environment });
  const until = <T>(promise: Promise<T>) => clock.until(promise);
  const stage: Stage = {
    ...setting,
    session,
    expects: { offline: "goes on", theft: "works", thief: "ends", robbed: "ends", ...row.expects },
    until,
    call: async () => (await until(session.fetch(setting.api))).status,
    advance: (milliseconds) => clock.advance(milliseconds),
    async untilDue() {
      const { refreshDueAt } = session.getSnapshot();
      if (refreshDueAt === null) throw new Error("nothing is planned");
      await clock.advance(Math.max(0, refreshDueAt - clock.now()) + 1000);
    },
  };
  try {
    await until(session.ready);
    const tokens = await setting.signIn();
    await until(session.signIn(...tokens));
    await clock.advance(1100);
    const said = await cases[name](stage);
    return said ?? "✓";
  } finally {
    session.dispose();
    await clock.advance(1000);
    await setting.close();
  }
}

const cases: Record<CaseName, (stage: Stage) => Promise<string | undefined>> = {
  async "sign in"({ session, call }) {
    expect(session.getSnapshot()).toMatchObject({ status: "signed-in", degraded: false });
    expect(await call()).toBe(200);
    return undefined;
  },

  async "20 rotations"({ session, gate, call, untilDue }) {
    const before = gate.attempts;
    for (let rotation = 0; rotation < 20; rotation += 1) await untilDue();
    expect(gate.attempts - before).toBe(20);
    expect(session.getSnapshot()).toMatchObject({ status: "signed-in", degraded: false });
    expect(await call()).toBe(200);
    return undefined;
  },

  async "expiry while offline"({ session, device, gate, call, until, advance, expects }) {
    device.offline = true;
    await advance((session.getSnapshot().expiresAt ?? 0) - device.clock.now() + 60_000);
    if (expects.offline === "ends") {
      expect(session.getSnapshot()).toMatchObject({ status: "signed-out", reason: "expired" });
      return "✓ ends";
    }
    await expect(until(session.getToken())).rejects.toMatchObject({ code: "network" });
    expect(session.getSnapshot().status).toBe("signed-in");
    const before = gate.attempts;
    device.backOnline();
    await advance(2000);
    expect(await call()).toBe(200);
    expect(gate.attempts - before).toBe(1);
    expect(session.getSnapshot(), "renewed, not just let through").toMatchObject({ status: "signed-in", degraded: false });
    return undefined;
  },

  async "reuse by an attacker"({ session, steal, until, expects }) {
    const thief = await steal();
    const outcome = await until(session.refresh().catch(({ code }) => code));
    const { status, reason } = session.getSnapshot();
    if (expects.theft === "is refused") {
      expect([thief, outcome, status]).toEqual([null, "refreshed", "signed-in"]);
      return "✓ the thief gets nothing";
    }
    expect(thief, "the theft itself works").not.toBeNull();
    if (expects.robbed === "ends") expect([outcome, status, reason]).toEqual(["rejected", "signed-out", "rejected"]);
    else expect([outcome, status]).toEqual(["refreshed", "signed-in"]);
    expect(await thief?.(), "the thief's own").toBe(expects.thief === "goes on");
    if (expects.robbed === "goes on") return "✓ both go on";
    return expects.thief === "goes on" ? "✓ the client ends, the thief goes on" : "✓ both end";
  },

  async "revocation by an admin"({ session, revoke, until }) {
    await revoke();
    await until(session.refresh().catch(() => {}));
    expect(session.getSnapshot()).toMatchObject({ status: "signed-out", reason: "rejected" });
    return undefined;
  },

  async "server restart"({ session, restart, call, until }) {
    await restart();
    expect(await until(session.refresh())).toBe("refreshed");
    expect(await call()).toBe(200);
    return undefined;
  },

  async "503"({ session, device, gate, call, untilDue, advance }) {
    gate.fault = { kind: "down", times: 2 };
    const before = gate.attempts;
    await untilDue();
    expect(gate.attempts - before, "the first of two").toBe(1);
    expect(session.getSnapshot()).toMatchObject({ status: "signed-in", degraded: true });
    await advance((session.getSnapshot().expiresAt ?? 0) - device.clock.now() + 120_000);
    expect(session.getSnapshot()).toMatchObject({ status: "signed-in", degraded: false });
    expect(await call()).toBe(200);
    return undefined;
  },

  async "slow answer"({ session, device: { clock }, gate, until, call, advance }) {
    gate.fault = { kind: "slow", milliseconds: 200, times: 1 };
    expect(await until(session.refresh())).toBe("refreshed");
    await advance(1500);
    gate.fault = { kind: "hang", times: 1 };
    clock.impatient = true;
    const refreshed = session.refresh().catch(({ code }) => code);
    await advance(100);
    await expect.poll(() => gate.fault, { message: "it has arrived" }).toBeNull();
    await advance(10_000);
    expect(await until(refreshed)).toBe("timeout");
    expect(session.getSnapshot()).toMatchObject({ status: "signed-in", degraded: true });
    // On a strict server, the session waits for the answer until `takeoverAfter`.
    for (let waited = 0; waited < 25_000 && clock.underWay > 0; waited += 500) await advance(500);
    clock.impatient = false;
    await advance(5_000);
    expect(session.getSnapshot(), "the retry came by itself").toMatchObject({ status: "signed-in", degraded: false });
    expect(await call()).toBe(200);
    return undefined;
  },

  async "clock 1 h off"({ session, device: { clock }, gate, until, call, untilDue }) {
    for (const jump of [0, -2 * HOUR]) {
      clock.jump(jump);
      expect(await until(session.refresh())).toBe("refreshed");
      const before = gate.attempts;
      for (let rotation = 0; rotation < 3; rotation += 1) await untilDue();
      expect(gate.attempts - before, "no loop").toBe(3);
      expect(session.getSnapshot()).toMatchObject({ status: "signed-in", degraded: false });
      expect(await call()).toBe(200);
    }
    return undefined;
  },
};
