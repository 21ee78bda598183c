import { describe, expect, it } from "vitest";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { signedOut } from "../../src/ledger/transitions/index.js";
import { createRevocation } from "../../src/session/revocation.js";
import type { SignedOutReason, TokenSet } from "../../src/types/index.js";
import { contextOver, liveRecord } from "../support/context.js";
import { kept } from "../support/scene.js";

/** What is revoked when `by` ends the session for a reason. */
async function setUp(persist: "memory" | "indexeddb", changes: Partial<LedgerRecord> = {}) {
  const revoked: (string | undefined)[] = [];
  const revoke = async ({ tokens }: { tokens: TokenSet }) => revoked.push(tokens.refreshToken);
  const test = contextOver({ options: { persist: kept(persist) }, strategy: { revoke } });
  const { context, followers, write, posted } = test;
  await write(liveRecord(context, changes));
  followers.push(createRevocation(context));
  async function endBy(by: string, reason: SignedOutReason) {
    const next = signedOut(context.ledger.current, { now: context.clock.now(), tab: by, random: () => 0.5 }, reason);
    await write(next);
    return revoked;
  }
  return { endBy, posted };
}

const LIMITS = ["idle", "max-age"] as const;

describe("the tokens of a session that ended without a call of this tab", () => {
  it.each(LIMITS)("R41 are revoked by the tab that found the limit (%s), which tells the others", async (reason) => {
    for (const persist of ["indexeddb", "memory"] as const) {
      const { endBy, posted } = await setUp(persist);
      expect(await endBy("tab 1", reason)).toEqual(["refresh"]);
      expect(posted()).toMatchObject([{ type: "changed", record: { signedIn: false } }]);
    }
  });

  it.each([...LIMITS, "user"] as const)(
    "R43 are revoked in memory mode by the tab that has them, when another tab ends it: %s",
    async (reason) => {
      const { endBy, posted } = await setUp("memory");
      expect(await endBy("other", reason)).toEqual(["refresh"]);
      expect(posted()).toEqual([]);
    },
  );

  it.each([...LIMITS, "user"] as const)("are left to the other tab where the ledger holds them: %s", async (reason) => {
    const { endBy } = await setUp("indexeddb");
    expect(await endBy("other", reason)).toEqual([]);
  });

  it("are left to the call of this tab, which revokes them itself", async () => {
    const { endBy } = await setUp("memory");
    expect(await endBy("tab 1", "user")).toEqual([]);
  });

  it("are not revoked where the server has refused them", async () => {
    const { endBy } = await setUp("memory");
    expect(await endBy("other", "rejected")).toEqual([]);
  });

  it("are not asked for where this tab has no refresh token", async () => {
    const { endBy } = await setUp("memory", { tokens: { accessToken: "access" } });
    expect(await endBy("other", "user")).toEqual([]);
  });
});
