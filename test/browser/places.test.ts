import { describe, expect, it } from "vitest";
import type { Tab } from "./harness/browser.js";
import { all, cannot, expectOneToken, useBrowser } from "./harness/scenario.js";
import type { Site } from "./harness/site.js";
import type { Question } from "./harness/worker.js";

const browser = useBrowser();

/** By default the first refresh after a sign-in comes at any time. */
const session = { lead: 500 };

/** The address of a script or a page with `harness/worker.ts` in it. */
function addressOf(site: Site, path: string): string {
  const { tokenEndpoint, clientId } = site.server;
  return `${path}?${new URLSearchParams({ tokenEndpoint, clientId })}`;
}

type Place = "worker" | "service worker" | "frame";

/** Starts the session of the place, in the tab. */
const start = (tab: Tab, place: Place, address: string) =>
  tab.run(
    async ([place, address]) => {
      if (place === "worker") {
        Object.assign(globalThis, { place: new Worker(address!) });
      } else if (place === "service worker") {
        await navigator.serviceWorker.register(address!);
        Object.assign(globalThis, { place: (await navigator.serviceWorker.ready).active });
      } else {
        const frame = document.createElement("iframe");
        frame.setAttribute("sandbox", "allow-scripts");
        frame.src = address!;
        await new Promise((resolve) => {
          frame.onload = resolve;
          document.body.append(frame);
        });
        Object.assign(globalThis, {
          place: { postMessage: (data: unknown, ports: Transferable[]) => frame.contentWindow!.postMessage(data, "*", ports) },
        });
      }
    },
    [place, address],
  );

const ask = (tab: Tab, question: Question) =>
  tab.run(
    (question) =>
      new Promise<unknown>((resolve) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = ({ data }) => resolve(data);
        (globalThis as unknown as { place: Worker }).place.postMessage(question, [port2]);
      }),
    question,
  );

describe("R96 a session", () => {
  it.for(["worker", "service worker"] as const)(
    "in a %s is the one of the page: its tokens, refreshes and sign-out",
    async (place, context) => {
      const site = await browser.site({ accessTokenSeconds: 600, session });
      const [tab, other] = await site.openSignedIn(2);
      const has = place === "worker" || (await tab!.run(() => "serviceWorker" in navigator));
      cannot(context, !has, "this browser has no service worker in a window of this kind");
      await start(tab!, place, addressOf(site, "/worker.js"));

      const first = await tab!.run(() => app.serial());
      expect([await ask(tab!, { name: "status" }), await ask(tab!, { name: "serial" })]).toEqual(["signed-in", first]);
      expect(await ask(tab!, { name: "call" })).toBe(200);
      expect(await ask(tab!, { name: "refresh" })).toBe("refreshed");
      await expect.poll(() => other!.run(() => app.serial())).not.toBe(first);
      await expectOneToken([tab!, other!]);
      expect(await ask(tab!, { name: "serial" })).toBe(await tab!.run(() => app.serial()));

      await other!.run(() => app.session.signOut());
      await expect.poll(() => ask(tab!, { name: "status" })).toBe("signed-out");
      expect(site.server.stats).toMatchObject({ refreshes: 1, reused: 0 });
    },
  );

  it("in a sandboxed frame lives in memory, by itself, and leaves the page's session alone", async () => {
    const site = await browser.site({ accessTokenSeconds: 600, session });
    const [tab] = await site.openSignedIn(1, "ada");
    await start(tab!, "frame", addressOf(site, "/frame"));
    expect(await ask(tab!, { name: "status" })).toBe("signed-out");
    const tokens = await site.server.issueTokens({ subject: "grace" });
    expect(await ask(tab!, { name: "signIn", tokens })).toBe("signed-in");
    expect(await ask(tab!, { name: "serial" })).not.toBe(await tab!.run(() => app.serial()));
    expect(await tab!.run(() => app.session.getSnapshot().claims?.sub)).toBe("ada");
  });

  it("in a page without a bundler, under a strict policy with Trusted Types, is the one of the bundled page", async () => {
    const site = await browser.site({ accessTokenSeconds: 600, session });
    const [bundled] = await site.openSignedIn(1);
    const strict = await site.openAt("strict");
    expect(await strict.run(() => app.session.ready.then(() => app.session.getSnapshot().status))).toBe("signed-in");
    expect(await strict.run(() => app.session.refresh())).toBe("refreshed");
    expect(await strict.run(() => app.session.fetch("/api/me").then(({ status }) => status))).toBe(200);
    const users = () => all([bundled!, strict], () => app.session.getSnapshot().claims?.jti);
    await expect.poll(async () => new Set(await users()).size).toBe(1);
    expect(await strict.run(() => (app as unknown as { violations: string[] }).violations)).toEqual([]);
    expect(site.server.stats).toMatchObject({ refreshes: 1, reused: 0 });
  });
});
