import { describe, expect, it } from "vitest";
import { authorize } from "../servers/authorize.js";
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

  it.for(["is closed", "crashes", "goes elsewhere"])("is sent once when the tab that asked %s before the answer", async (how, context) => {
    cannot(context, how === "crashes" && !browser.current.survivesCrash, "its driver ends with the page that crashes");
    const site = await vaultSite();
    const [other, asks] = await openLoggedIn(site, 2);
    const before = await other!.run(() => app.serial());
    site.server.faults.token = { kind: "late-answer", milliseconds: 1500, times: 1 };
    await asks!.run(() => void app.session.refresh().catch(() => {}));
    await expect.poll(() => site.server.stats.attempts, { interval: 20 }).toBe(1);

    if (how === "crashes") await asks!.crash();
    else if (how === "is closed") await asks!.close();
    else await asks!.goto(`${site.url}/elsewhere?for=good`);

    console.log(how, browser.current.engine, await refresh(other!), site.server.stats.attempts, await other!.run(() => app.heard));
    expect(await other!.run(() => app.serial())).not.toBe(before);
    expect(site.server.stats).toMatchObject({ attempts: 1, refreshes: 1, reused: 0 });
    expect([await refresh(other!), await call(other!)]).toEqual(["refreshed", 200]);
    expect(site.server.stats).toMatchObject({ attempts: 2, refreshes: 2, reused: 0 });
  });

  it.for(["is closed", "crashes", "goes elsewhere"])(
    "lives on or is lost when the tab that started the worker %s, and is never sent twice",
    async (how, context) => {
      cannot(context, how === "crashes" && !browser.current.survivesCrash, "its driver ends with the page that crashes");
      const site = await vaultSite();
      const [asks, other] = await openLoggedIn(site, 2);
      site.server.faults.token = { kind: "late-answer", milliseconds: 1500, times: 1 };
      await asks!.run(() => void app.session.refresh().catch(() => {}));
      await expect.poll(() => site.server.stats.attempts, { interval: 20 }).toBe(1);
      if (how === "crashes") await asks!.crash();
      else if (how === "is closed") await asks!.close();
      else await asks!.goto(`${site.url}/elsewhere?for=good`);
      console.log(
        "STARTER",
        how,
        browser.current.engine,
        await refresh(other!),
        site.server.stats.attempts,
        await other!.run(() => app.heard),
      );
      expect(site.server.stats).toMatchObject({ attempts: 1, reused: 0 });
    },
  );

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
    expect([await tab!.run(() => app.token.sent), await old.run(() => app.token.sent)]).toEqual([0, 0]);
  });

  it("is there for a page that was in the back/forward cache", async (context) => {
    cannot(context, !browser.current.backForwardCache, "this browser has no back/forward cache");
    const site = await vaultSite();
    const [left, stays] = await openLoggedIn(site, 2);
    await left!.goto(site.elsewhere);
    expect(await refresh(stays!)).toBe("refreshed");

    site.goBack();

    const serial = await stays!.run(() => app.serial());
    await expect.poll(() => site.reports.at(-1), { timeout: 10_000 }).toMatchObject({ status: "signed-in", serial, failures: [] });
    console.log(await refresh(left!));
  });

  it("is not given to script of the page, by no message to the worker, and sent nowhere else by another worker", async () => {
    const site = await vaultSite();
    const [tab] = await site.open(1);
    const tokens = await site.server.issueTokens({ subject: "ada" });
    await tab!.run((tokens) => app.session.signIn(tokens), tokens);
    const { strangers } = site;
    const { tokenEndpoint, clientId } = site.server;
    const heard = await tab!.run(askTheWorker, { tokenEndpoint, clientId, elsewhere: `${strangers.url}/token` });
    expect(heard.length).toBeGreaterThan(10);
    expect(heard.filter((answer) => answer.includes("access_token") || answer.includes("accessToken")).length).toBe(1);
    console.log(heard.map((text) => text.slice(0, 300)));
    expect(strangers.requests).toEqual([]);
  });
});

/** In the page, as script would that somebody has brought there. Returns all that workers answer. */
async function askTheWorker({ tokenEndpoint, clientId, elsewhere }: Record<"tokenEndpoint" | "clientId" | "elsewhere", string>) {
  const heard: string[] = [];
  const ask = (endpoint: string, message: Record<string, unknown>) =>
    new Promise<void>((resolve) => {
      const address = `/vault-worker.js?${new URLSearchParams({ token_endpoint: endpoint, client_id: clientId })}`;
      const { port } = new SharedWorker(address, { type: "module", name: "tokentide", extendedLifetime: true } as WorkerOptions);
      port.onmessage = ({ data }) => {
        heard.push(JSON.stringify(data));
        resolve();
      };
      port.postMessage({ id: 1, version: 1, client: `${endpoint} ${clientId}`, ...message });
      // What has no number is not answered.
      setTimeout(resolve, 2000);
    });
  const [, handle = ""] = /(tokentide-handle:[^"]+)/.exec(await app.stored("")) ?? [];
  const renewal = { kind: "refresh", handle, until: Date.now() + 60_000, patience: 10_000 };
  for (const message of [
    {},
    { kind: "read", handle },
    { kind: "constructor" },
    { kind: "holds", handle },
    { kind: "holds", handle: [handle] },
    { ...renewal, version: 2 },
    { ...renewal, client: `${elsewhere} ${clientId}` },
    { ...renewal, parameters: { token_endpoint: elsewhere } },
    { ...renewal, parameters: { refresh_token: "x" } },
    { ...renewal, parameters: { redirect_uri: elsewhere } },
    { ...renewal, tokenEndpoint: elsewhere, url: elsewhere, endpoint: elsewhere },
    { kind: "exchange", code: "x", redirectUri: elsewhere },
    { kind: "take", refreshToken: handle },
  ])
    await ask(tokenEndpoint, message);
  await ask(elsewhere, renewal);
  await ask(elsewhere, { kind: "holds", handle });
  return heard;
}

describe("a reload of the only tab", () => {
  it("keeps the worker where the browser extends its lifetime, and ends the session with `credential-lost` elsewhere", async () => {
    const site = await vaultSite({ accessTokenSeconds: 8 });
    const [tab] = await openLoggedIn(site, 1);
    await tab!.reload();
    await tab!.run(() => app.session.ready);
    console.log(
      browser.current.engine,
      await tab!.run(() => app.heard),
      await call(tab!),
      await tab!.run(() => app.session.getSnapshot().degraded),
    );
    await new Promise((r) => setTimeout(r, 1000));
    console.log(
      browser.current.engine,
      await tab!.run(() => app.heard),
      await call(tab!),
      await tab!.run(() => app.session.getSnapshot().degraded),
    );
    await expect.poll(() => ends([tab!]), { timeout: 12_000 }).toEqual(["signed-out credential-lost"]);
  });
});

describe("a worker that the browser does not load", () => {
  it.each([
    ["its address is wrong", "", "/nothing.js"],
    ["the policy has no worker-src for it", "no-workers", "/vault-worker.js"],
  ] as const)("because %s fails at once with `configuration`", async (_, page, worker) => {
    for (const shared of [true, false]) {
      const site = await vaultSite({ vault: { worker, shared } });
      const tab = await site.openAt(page);
      const failure = await tab.run(() => app.exchangeCode({ code: "code" }).then(String, ({ code, message }) => `${code} ${message}`));
      expect.soft(failure).toMatch(/^configuration vault: .*worker/);
      console.log(shared, failure);
    }
  });
});

describe("a worker for each tab", () => {
  it("renews for the others, and the session ends with its tab", async () => {
    const site = await vaultSite({ accessTokenSeconds: 5, session: { ...session, lead: 1500 }, vault: { ...vault, shared: false } });
    const tabs = await openLoggedIn(site, 2);
    await expect.poll(() => site.server.stats.refreshes, { timeout: 10_000 }).toBeGreaterThanOrEqual(1);
    await expectOneToken(tabs);
    expect(await all(tabs, () => app.token.sent)).toEqual([0, 0]);
    expect(await tabs[0]!.run(() => app.stored(""))).not.toContain("tokentide-handle");

    await tabs[0]!.close();

    await expect.poll(() => ends([tabs[1]!]), { timeout: 15_000 }).toEqual(["signed-out owner-closed"]);
    expect(site.server.stats.reused).toBe(0);
  });
});
