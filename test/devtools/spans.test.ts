import { describe, expect, it } from "vitest";
import type { Detail, Entry } from "../../src/devtools/entry.js";
import { refreshSpans, tokenSpans } from "../../src/devtools/spans.js";

const event = (at: number, name: string, details: Record<string, Detail> = {}): Entry => ({ at, of: "event", name, details });
const decision = (at: number, name: string, details: Record<string, Detail> = {}): Entry => ({ at, of: "decision", name, details });

describe("the timeline of a tab", () => {
  it("has a bar for each token, from when it came until the next one or the sign-out", () => {
    const spans = tokenSpans([
      event(1, "already-signed-in", { expiresAt: 90 }),
      event(10, "refreshed", { token: 2, adopted: true, expiresAt: 100, dueAt: 80 }),
      event(20, "claims-changed"),
      event(30, "refreshed", { token: 3, adopted: false }),
      event(40, "signed-out", { reason: "user" }),
      event(41, "signed-out", { reason: "user" }),
      event(50, "signed-in", { token: 5 }),
    ]);
    expect(spans).toMatchObject([
      { from: 1, to: 10, number: undefined, how: "signed in", expiresAt: 90 },
      { from: 10, to: 30, number: 2, how: "adopted", expiresAt: 100, dueAt: 80 },
      { from: 30, to: 40, number: 3, how: "refreshed" },
      { from: 50, number: 5, how: "signed in" },
    ]);
    expect(spans.at(-1)).not.toHaveProperty("to");
  });

  it("tells a wait for another tab from a refresh of its own, and those of an audience from the session's", () => {
    const spans = refreshSpans([
      decision(1, "refresh-wanted"),
      decision(2, "refresh-wanted", { audience: "crm" }),
      decision(3, "refresh-started", { audience: "crm" }),
      decision(4, "refresh-settled", { outcome: "adopted" }),
      decision(5, "refresh-settled", { outcome: "server", audience: "crm" }),
      decision(6, "refresh-settled", { outcome: "adopted" }),
      decision(7, "refresh-wanted"),
    ]);
    expect(spans).toEqual([{ wanted: 1, to: 4, outcome: "adopted" }, { wanted: 2, sent: 3, to: 5, outcome: "server" }, { wanted: 7 }]);
  });

  it("ends a refresh that nothing settled when the tab wants the next one", () => {
    const spans = refreshSpans([decision(1, "refresh-wanted"), decision(2, "refresh-started"), decision(5, "refresh-wanted")]);
    expect(spans).toEqual([{ wanted: 1, sent: 2, to: 5 }, { wanted: 5 }]);
  });
});
