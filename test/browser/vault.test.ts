import { describe, expect, it } from "vitest";
import { authorize } from "../servers/authorize.js";
import { askTheWorker } from "./attack/worker.js";
import type { Tab } from "./harness/browser.js";
import { all, cannot, expectOneToken, useBrowser } from "./harness/scenario.js";
import type { Site, SiteOptions } from "./harness/site.js";

const browser = useBrowser();

/** Refreshes come when the test asks for them. A mark of a tab that is gone ends after 3 s. */
const session = { lead: 5000, refreshTimeout: 3000, takeoverAfter: 6000 };
const vault = { worker: "/vault-worker.js" };
const vaultSite = (options: SiteOptions = {}) => browser.site({ accessTokenSeconds: 600, session, vault, ...options });

/** Logs in by code. The worker exchanges it. */
async function logIn(site: Site, tab: Tab, user = "ada"): Promise<void> {
  const { verifier, callback } = await authorize(site.server, user);
  await tab.run(async (login) => app.session.signIn(await app.exchangeCode(login)), {
    code: callback.searchParams.get("code")!,
    codeVerifier: verifier,
    redirectUri: `${site.url}/callback`,
  });
}

async function openLoggedIn(site: Site, count: number): Promise<Tab[]> {
  const tabs = await site.open(count);
  await logIn(site, tabs[0]!);
  await expect.poll(() => all(tabs, () => app.session.getSnapshot().status)).toEqual(tabs.map(() => "signed-in"));
  return tabs;
}

const refresh = (tab: Tab) => tab.run(() => app.session.refresh().catch(({ code }) => code as string));
const call = (tab: Tab) => tab.run(async () => (await app.session.fetch("/api/me")).status);
const ends = (tabs: Tab[]) => all(tabs, () => app.heard.filter((event) => event.startsWith("signed-out")).join());

describe("a refresh token in a shared worker", () => {
  it("comes there by the code of a login, renews for all tabs, is in no page, and is revoked at sign-out", async () => {
    const site = await vaultSite({ revokes: true });
    const tabs = await openLoggedIn(site, 2);
    for (const tab of tabs) {
      expect(await refresh(tab)).toBe("refreshed");
      await expectOneToken(tabs);
    }
    expect(await all(tabs, async () => (await app.session.fetch("/api/me")).status)).toEqual([200, 200]);
    expect(site.server.stats).toMatchObject({ attempts: 2, refreshes: 2, reused: 0 });
    expect(await all(tabs, () => app.token.sent)).toEqual([0, 0]);
    expect(await tabs[0]!.run(() => app.stored(""))).toMatch(/"refreshToken":"tokentide-handle:/);

    await tabs[1]!.run(() => app.session.signOut());
    await expect.poll(() => ends(tabs)).toEqual(["signed-out user", "signed-out user"]);
    await expect.poll(() => site.server.stats.revoked).toBe(1);
  });

  it("is taken out of the record of an app with `oauth2`, whose open tab goes on with the tokens of this one", async () => {
    const site = await vaultSite();
    const old = await site.openAt("", { vault: undefined });
    const tokens = await site.server.issueTokens({ subject: "ada" });
    await old.run((tokens) => app.session.signIn(tokens), tokens);
    expect(await old.run(() => app.stored(""))).toContain(tokens.refresh_token);

    const [tab] = await site.open(1);
    await expect.poll(() => tab!.run(() => app.stored(""))).not.toContain(tokens.refresh_token);
    expect([await refresh(tab!), await refresh(old)]).toEqual(["refreshed", "newer-release"]);
    await expectOneToken([tab!, old]);
    expect([await call(tab!), await call(old)]).toEqual([200, 200]);
    expect(site.server.stats).toMatchObject({ attempts: 1, refreshes: 1, reused: 0 });
    expect(await all([tab!, old], () => app.token.sent)).toEqual([0, 0]);
  });

  it("serves a page again that was in the back/forward cache", async (context) => {
    cannot(context, !browser.current.backForwardCache, "this browser has no back/forward cache");
    const site = await vaultSite();
    const [left, stays] = await openLoggedIn(site, 2);
    await left!.goto(site.elsewhere);
    expect(await refresh(stays!)).toBe("refreshed");
    const serial = await stays!.run(() => app.serial());

    site.goBack();

    await expect.poll(() => site.reports.at(-1), { timeout: 10_000 }).toMatchObject({ status: "signed-in", serial, failures: [] });
    expect(await refresh(left!)).toBe("refreshed");
    await expectOneToken([left!, stays!]);
    expect(site.server.stats).toMatchObject({ attempts: 2, refreshes: 2, reused: 0 });
  });

  it("is in no answer to script of the page, and no message has it sent to another address", async () => {
    // Without rotation, the test knows the refresh token.
    const site = await vaultSite({ rotate: false });
    const [tab] = await site.open(1);
    const tokens = await site.server.issueTokens({ subject: "ada" });
    await tab!.run((tokens) => app.session.signIn(tokens), tokens);
    const { tokenEndpoint, clientId } = site.server;

    const answers = await tab!.run(askTheWorker, { tokenEndpoint, clientId, elsewhere: `${site.strangers.url}/token` });

    expect(answers).toHaveLength(14);
    expect(answers.filter((answer) => answer.includes(tokens.refresh_token))).toEqual([]);
    // Script can renew. The worker sent that to its own address, whatever the message said.
    expect(answers.filter((answer) => answer.includes("accessToken"))).toHaveLength(1);
    expect(answers.slice(-2)).toEqual([expect.stringContaining("credential-lost"), expect.stringContaining('"holds":false')]);
    expect(site.strangers.requests).toEqual([]);
    expect(await call(tab!)).toBe(200);
  });
});

/** The worker lives in the process of the tab that is first, in WebKit in that of any tab, and ends with that process. */
const endsOf = (which: string, how: string) => {
  if (how === "crashes") return which === "first" ? ["credential-lost"] : ["refreshed"];
  return how === "is closed" && browser.current.engine === "webkit" ? ["refreshed", "credential-lost"] : ["refreshed"];
};

describe("a tab that is gone before the answer to its request", () => {
  it.for([
    ["first", "is closed"],
    ["first", "goes elsewhere"],
    ["first", "crashes"],
    ["second", "is closed"],
    ["second", "crashes"],
  ] as const)(
    "R6 R84 has sent the refresh token once, and another tab gets the answer if the worker lives: the %s tab %s",
    async ([which, how], context) => {
      cannot(context, how === "crashes" && !browser.current.survivesCrash, "its driver ends with the page that crashes");
      const site = await vaultSite();
      const tabs = await openLoggedIn(site, 2);
      const [gone, other] = which === "first" ? tabs : tabs.reverse();
      const before = await other!.run(() => app.serial());
      site.server.faults.token = { kind: "late-answer", milliseconds: 1500, times: 1 };
      await gone!.run(() => void app.session.refresh().catch(() => {}));
      await expect.poll(() => site.server.stats.attempts, { interval: 20 }).toBe(1);

      if (how === "crashes") await gone!.crash();
      else if (how === "is closed") await gone!.close();
      else await gone!.goto(`${site.url}/elsewhere?for=good`);

      const result = await refresh(other!);
      expect(endsOf(which, how)).toContain(result);
      expect(site.server.stats).toMatchObject({ attempts: 1, refreshes: 1, reused: 0 });
      if (result !== "refreshed") return expect([await ends([other!]), await call(other!)]).toEqual([[""], 200]);
      expect(await other!.run(() => app.serial())).not.toBe(before);
      expect([await refresh(other!), await call(other!)]).toEqual(["refreshed", 200]);
      expect(site.server.stats).toMatchObject({ attempts: 2, refreshes: 2, reused: 0 });
    },
  );
});

describe("the only tab", () => {
  it("that visits another origin and comes back has its worker still", async () => {
    const site = await vaultSite();
    const [tab] = await openLoggedIn(site, 1);
    await tab!.goto(`${site.strangers.url}/login`);
    await tab!.goto(site.address());
    await tab!.run(waitUntilReady);
    expect([await refresh(tab!), await call(tab!)]).toEqual(["refreshed", 200]);
  });

  it("that is reloaded has it in Chromium; elsewhere its token serves until it expires, and the reason is `credential-lost`", async () => {
    const site = await vaultSite({ accessTokenSeconds: 6, session: { ...session, lead: 500 } });
    const [tab] = await openLoggedIn(site, 1);
    await tab!.reload();
    await tab!.run(waitUntilReady);
    if (browser.current.engine === "chromium") return expect([await refresh(tab!), await call(tab!)]).toEqual(["refreshed", 200]);
    await expect.poll(() => tab!.run(() => app.heard)).toContain("refresh-failed credential-lost");
    expect(await call(tab!)).toBe(200);
    await expect.poll(() => ends([tab!]), { timeout: 12_000 }).toEqual(["signed-out credential-lost"]);
    expect(site.server.stats.attempts).toBe(0);
  });
});

describe("a worker that the browser does not load", () => {
  it.each([
    ["its address is wrong", "", "/nothing.js"],
    ["the policy forbids it", "no-workers", "/vault-worker.js"],
    ["the page wants Trusted Types and does not name the policy", "trusted-types", "/vault-worker.js"],
  ] as const)("because %s is a `configuration` error at once, shared or not", async (_, page, worker) => {
    for (const shared of [true, false]) {
      const site = await vaultSite({ vault: { worker, shared } });
      const tab = await site.openAt(page);
      const failure = () => tab.run(() => app.exchangeCode({ code: "code" }).then(String, ({ code, message }) => `${code} ${message}`));
      expect(await failure()).toMatch(/^configuration vault: the (browser did not load the worker|worker cannot be used)/);
      // The first one may have failed before somebody asked it.
      expect(await failure()).toMatch(/^configuration/);
    }
  });
});

describe("a page that wants Trusted Types and names the policy `tokentide`", () => {
  it("has its worker, shared or not", async () => {
    for (const shared of [true, false]) {
      const site = await vaultSite({ vault: { ...vault, shared } });
      const tab = await site.openAt("trusted-vault");
      await logIn(site, tab);
      expect([await refresh(tab), await call(tab)]).toEqual(["refreshed", 200]);
    }
  });
});

describe("a worker for each tab", () => {
  it("renews for the other tabs, which have the access token only", async () => {
    const site = await vaultSite({ vault: { ...vault, shared: false } });
    const tabs = await openLoggedIn(site, 2);
    expect(await refresh(tabs[0]!)).toBe("refreshed");
    await expectOneToken(tabs);
    expect(await refresh(tabs[1]!)).toBe("adopted");
    await expectOneToken(tabs);
    expect(await all(tabs, () => app.token.sent)).toEqual([0, 0]);
    expect(await tabs[0]!.run(() => app.stored(""))).not.toContain("tokentide-handle");
    expect(site.server.stats).toMatchObject({ attempts: 2, refreshes: 2, reused: 0 });
  });
});

/** In the page. */
async function waitUntilReady(): Promise<void> {
  while (!("app" in globalThis)) await new Promise((resolve) => setTimeout(resolve, 10));
  await app.session.ready;
}
