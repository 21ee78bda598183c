import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "vitest";
import { breakIt, click, lanesOf, lines, signIn, text, useDemo, waits } from "./demo-page.js";

// The rest of the page is in `long/demo.test.ts`, every button of both homes in `long/demo-buttons.test.ts`, its looks in `long/demo-looks.test.ts`.
const on = useDemo();

describe("the first ten seconds", () => {
  it("R1 shows a token being renewed by one tab and adopted by the others, before anything is pressed", async () => {
    const page = await on.visitor.open(on.demo.url);
    await on.reads(page, "Signed in as Ada Lovelace");
    await expect.poll(() => lanesOf(page), waits).toEqual(["Tab 1", "Tab 2", "Tab 3"]);
    // The first is due at any moment, perhaps before there are others to adopt it.
    const adoptedByTwo = async () => {
      const events = await lines(page, "events");
      const asked = events.flatMap((line) => /^Tab \d asked, and got (token \d+)$/.exec(line)?.[1] ?? []);
      return asked.some((token) => events.filter((line) => line.endsWith(` adopted ${token}`)).length === 2);
    };
    await expect.poll(adoptedByTwo, { timeout: 20_000 }).toBe(true);
    await expect.poll(async () => Number(await text(page, "refreshes")), waits).toBeGreaterThan(0);
    expect(await text(page, "reused")).toBe("0");
    const { attempts, refreshes, reused, revoked } = on.demo.server.stats;
    expect({ attempts, reused, revoked }).toEqual({ attempts: refreshes, reused: 0, revoked: 0 });
    expect(await page.locator("#timeline .token").count(), "bars in the timeline").toBeGreaterThan(5);
  });
});

describe("tabs", () => {
  it("R38 signs out and changes the user in every tab", async () => {
    const page = await on.quiet();
    const other = await on.quiet();
    await signIn(page);
    await on.reads(other, "Signed in as Ada Lovelace");
    await click(other, "Sign in as someone else");
    await on.reads(page, "Signed in as Grace Hopper");
    await expect.poll(() => lines(page, "events"), waits).toContain("Tab 1: another user, Ada Lovelace → Grace Hopper");
    await click(page, "Sign out");
    for (const tab of [page, other]) {
      await on.reads(tab, "Signed out");
      expect(await text(tab, "explanation")).toBe("You signed out, here or in another tab.");
    }
  });
});

describe("breaking it", () => {
  it("R18 says of a 503 what should happen, and then what did", async () => {
    const page = await on.quiet();
    await signIn(page);
    const { should, did, tone } = await breakIt(page, "down");
    expect(should).toContain("Everybody stays signed in");
    expect({ did, tone }).toMatchObject({ tone: "good", did: expect.stringMatching(/^As it should: \d attempts? failed, 1 tab stayed/) });
    expect(on.demo.server.stats).toMatchObject({ reused: 0, revoked: 0 });
  });
});

describe("script that steals what it can read", () => {
  it("has tokens that work elsewhere without DPoP, and that do not with it", async () => {
    const page = await on.quiet();
    Object.assign(on.demo.server.settings, { accessTokenSeconds: 600 });
    await signIn(page);
    const loot = "Access token: in storage and in a replaced fetch. Refresh token: in storage and in a replaced fetch.";
    const without = await breakIt(page, "copy");
    expect(without).toMatchObject({ tone: "good", should: expect.stringContaining("accept them elsewhere") });
    expect(without.did).toBe(`As it should: ${loot} Elsewhere, the API: accepted. Elsewhere, the token endpoint: accepted.`);

    await page.getByText("DPoP", { exact: true }).click();
    await on.reads(page, "Signed in as Ada Lovelace");
    const bound = await breakIt(page, "copy");
    expect(bound).toMatchObject({ tone: "good", should: expect.stringContaining("cannot copy the key") });
    const refused = "The key could not be copied. Elsewhere, the API: refused. Elsewhere, the token endpoint: refused.";
    expect(bound.did).toBe(`As it should: ${loot} ${refused}`);
    expect(on.demo.server.stats).toMatchObject({ reused: 0 });
    await on.reads(page, "Signed in as Ada Lovelace");
  });
});

describe("npm run demo", () => {
  let child: ChildProcess | undefined;
  afterEach(() => child?.kill("SIGKILL"));

  it("prints the address of a page that works at once, and ends at Ctrl-C", async () => {
    child = spawn(process.execPath, ["demo/start.js"], { stdio: ["ignore", "pipe", "inherit"] });
    let address: string | undefined;
    for await (const line of createInterface(child.stdout!)) {
      address = /http:\S+/.exec(line)?.[0];
      if (address) break;
    }
    const page = await on.visitor.open(`${address}?manual`);
    await signIn(page, "Grace");
    // The page has loaded its last part.
    await expect.poll(() => page.locator("#authorize").getAttribute("hidden"), waits).toBeNull();
    const ended = once(child, "exit");
    child.kill("SIGINT");
    expect(await ended).toEqual([0, null]);
    await expect.poll(() => page.locator("#server-gone").isVisible(), waits).toBe(true);
  });
});
