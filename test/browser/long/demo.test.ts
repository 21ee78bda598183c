import { describe, expect, it } from "vitest";
import { breakIt, click, lanesOf, signIn, text, useDemo, waits } from "../demo-page.js";

const on = useDemo();

describe("tabs", () => {
  it("opens five real tabs, and shows the lanes of all in each of them", async () => {
    const page = await on.quiet();
    await signIn(page);
    await click(page, "Open 5 more tabs");
    await expect.poll(() => on.visitor.profile.pages().length, waits).toBe(6);
    for (const tab of on.visitor.profile.pages()) {
      // At first there may be stand-ins, for tabs that are slow to come.
      await expect.poll(() => lanesOf(tab), { timeout: 30_000 }).toHaveLength(6);
      await on.reads(tab, "Signed in as Ada Lovelace");
    }
    expect(await page.locator("iframe").count()).toBe(0);
    expect(on.demo.server.stats).toMatchObject({ reused: 0 });
  });

  it("embeds them where pop-ups are blocked, and says so", async () => {
    await on.visitor.profile.addInitScript(() => {
      window.open = () => null;
    });
    const page = await on.quiet();
    await signIn(page);
    await click(page, "Open 5 more tabs");
    await expect.poll(() => text(page, "opened"), waits).toBe("The browser blocked 5 of them: they are embedded below instead.");
    await expect.poll(() => lanesOf(page), waits).toHaveLength(6);
    const frame = page.frames().at(-1)!;
    await expect.poll(() => frame.locator("#status").textContent(), waits).toBe("Signed in as Ada Lovelace");
    expect(await frame.locator("#lanes li").count()).toBe(6);
  });

  it("marks the lane of a tab that was closed, and then takes it away", async () => {
    const page = await on.quiet();
    const other = await on.quiet();
    await expect.poll(() => lanesOf(page), waits).toEqual(["Tab 1", "Tab 2"]);
    await other.close();
    await expect.poll(() => lanesOf(page), waits).toEqual(["Tab 1"]);
    await expect.poll(() => page.locator("#lanes li").count(), { timeout: 25_000 }).toBe(1);
  });
});

describe("breaking it", () => {
  it("does nothing while another is running, or when nobody is signed in", async () => {
    const page = await on.quiet();
    await page.locator("#break-down").click({ force: true });
    expect(await text(page, "did-down")).toBe("");
    await signIn(page);
    on.demo.server.faults.token = { kind: "hang", times: 1 };
    await page.locator("#break-offline").click();
    await page.locator("#break-revoke").click({ force: true });
    expect(await text(page, "did-revoke")).toBe("");
    expect(on.demo.server.stats.revoked).toBe(0);
  });
});

describe("the set-up", () => {
  it("copies the code that is shown", async () => {
    await on.visitor.profile.grantPermissions(["clipboard-read", "clipboard-write"]);
    const page = await on.quiet();
    await click(page, "Copy");
    await expect.poll(() => text(page, "copied"), waits).toBe("Copied.");
    const code = await page.evaluate(() => navigator.clipboard.readText());
    expect(code).toBe(await text(page, "code"));
    expect(code).toContain(`tokenEndpoint: "${on.demo.server.tokenEndpoint}"`);
  });

  it("sets how long a token lives, from 5 s to 5 min, for all tabs and at once", async () => {
    const page = await on.quiet();
    await signIn(page);
    const lifetime = page.getByLabel("A token lives");
    await lifetime.press("Home");
    await expect.poll(() => on.demo.server.settings.accessTokenSeconds, waits).toBe(5);
    await lifetime.press("End");
    await expect.poll(() => on.demo.server.settings.accessTokenSeconds, waits).toBe(300);
    await expect.poll(() => text(page, "lifetime-value")).toBe("5 min");
    await expect.poll(async () => Number.parseFloat(await text(page, "expires-in")), waits).toBeGreaterThan(200);
  });

  it("keeps to what was chosen after a reload, and in the other tabs", async () => {
    const page = await on.quiet();
    const other = await on.quiet();
    await page.locator("#grace").selectOption("10");
    await expect.poll(() => other.locator("#grace").inputValue(), waits).toBe("10");
    await expect.poll(() => text(other, "code"), waits).toContain("reuseGrace: 10_000");
    await page.reload();
    expect(await page.locator("#grace").inputValue()).toBe("10");
  });

  it("signs in with a code, PKCE and a key at the server’s own page", async () => {
    const page = await on.visitor.open(`${on.demo.url}?manual`);
    await page.getByText("DPoP", { exact: true }).click();
    await on.reads(page, "Signed in as Ada Lovelace");
    await click(page, "Sign out");
    await page.locator("#authorize").click();
    await click(page, "Sign in as Ada Lovelace");
    await page.waitForURL(on.demo.url);
    await on.reads(page, "Signed in as Ada Lovelace");
    expect(await breakIt(page, "copy")).toMatchObject({ tone: "good", did: expect.stringContaining("The key could not be copied.") });
  });

  it("signs in with a code and PKCE at the server’s own page, and comes back quietly when that is cancelled", async () => {
    const page = await on.visitor.open(`${on.demo.url}?manual`);
    await page.locator("#authorize").click();
    await click(page, "Cancel");
    await page.waitForURL(on.demo.url);
    expect(await text(page, "explanation")).not.toMatch(/fail/i);
  });
});
