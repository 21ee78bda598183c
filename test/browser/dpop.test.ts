import { describe, expect, it } from "vitest";
import type { Tab } from "./harness/browser.js";
import { all, expectOneToken, useBrowser } from "./harness/scenario.js";

const browser = useBrowser();

const call = (tab: Tab) => tab.run(async () => (await app.session.fetch("/api/me")).status);
const refresh = (tab: Tab) => tab.run(() => app.session.refresh());
/** As somebody would use a stolen token. */
const asBearer = (tab: Tab) =>
  tab.run(async () => {
    const authorization = `Bearer ${await app.session.getToken()}`;
    return (await fetch("/api/me", { headers: { authorization } })).status;
  });

describe("tokens that are bound to a key (RFC 9449)", () => {
  it("have it in all tabs and after a reload, on a server that asks for nonces", async () => {
    const site = await browser.site({ accessTokenSeconds: 600, dpop: true, session: { lead: 5000 } });
    const [before] = await site.openSignedIn(1);
    await before!.close();
    const first = await site.openAt("", { dpop: true });
    expect([await call(first), await asBearer(first), await refresh(first)]).toEqual([200, 200, "refreshed"]);
    expect([await call(first), await asBearer(first)]).toEqual([200, 401]);

    const second = await site.openAt("", { dpop: true });
    expect([await call(second), await refresh(second)]).toEqual([200, "refreshed"]);
    await expectOneToken([first, second]);
    expect(await all([first, second], async () => (await app.session.fetch("/api/me")).status)).toEqual([200, 200]);
    for (const tab of [first, second]) await tab.close();

    const reloaded = await site.openAt("", { dpop: true });
    expect([await call(reloaded), await refresh(reloaded), await call(reloaded)]).toEqual([200, "refreshed", 200]);
    expect(site.server.stats).toMatchObject({ refreshes: 3, reused: 0, revoked: 0 });
    expect(await reloaded.run(() => app.heard.filter((event) => event.startsWith("refresh-failed")))).toEqual([]);
  });

  it("hand it to another tab in memory mode, where the engine can", async () => {
    const site = await browser.site({ accessTokenSeconds: 600, dpop: true, session: { lead: 5000 } });
    const [before] = await site.openSignedIn(1);
    await before!.close();
    const owner = await site.openAt("", { dpop: true, inMemory: true });
    expect([await refresh(owner), await call(owner)]).toEqual(["refreshed", 200]);
    const hands = await owner.run(async () => {
      const { privateKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
      try {
        new BroadcastChannel("keys").postMessage(privateKey);
        return true;
      } catch {
        return false;
      }
    });
    const sibling = await site.openAt("", { dpop: true, inMemory: true });
    expect(await sibling.run(() => app.session.peekToken() !== null)).toBe(hands);
    if (hands) expect([await call(sibling), await asBearer(sibling)]).toEqual([200, 401]);
    expect([await call(owner), await owner.run(() => app.session.getSnapshot().status)]).toEqual([200, "signed-in"]);
  });
});
