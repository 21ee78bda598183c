import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, it } from "vitest";
import type { Tab } from "./harness/browser.js";
import { all, useBrowser } from "./harness/scenario.js";

const browser = useBrowser();
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** WebKit does not tell a page what became of its requests. */
const status = (code: number) => (process.env.TOKENTIDE_ENGINE === "webkit" ? "" : `status ${code}, `);

/** What somebody sees of the panel, and what a screen reader is told of its picture. */
const panelOf = (tab: Tab) =>
  tab.run(() => {
    const root = document.querySelector("[data-tokentide-devtools]")?.shadowRoot;
    return {
      lanes: root?.querySelector("svg")?.getAttribute("aria-label") ?? "",
      log: [...(root?.querySelectorAll("tbody tr") ?? [])].map((row) => [...row.children].slice(1).map((cell) => cell.textContent ?? "")),
      markup: root?.innerHTML ?? "",
    };
  });

it("R39 two tabs with the panel: each shows both lanes, the refresh, the call that was sent again, and no token", async () => {
  const site = await browser.site({ accessTokenSeconds: 600, devtools: true });
  const [first, second] = (await site.openSignedIn(2)) as [Tab, Tab];
  const refused = await first.run(() => app.session.getToken());
  expect(await first.run(() => app.session.refresh())).toBe("refreshed");
  await expect.poll(async () => (await panelOf(first)).lanes).toMatch(/^This tab: token 2, refreshed .*Tab \w+: token 2, adopted/);
  await expect.poll(async () => (await panelOf(second)).lanes).toMatch(/^Tab \w+: token 2, refreshed .*This tab: token 2, adopted/);

  site.server.expireAccessTokens();
  // A token that has only just come is not renewed again.
  const call = () =>
    second.run(async () => {
      const response = await app.session.fetch("/api/me?secret=1");
      await response.text(); // only then has the browser seen the end of it
      return response.status;
    });
  await expect.poll(call).toBe(200);
  for (const tab of [first, second]) {
    const named = (name: string) => expect.arrayContaining([expect.arrayContaining([name])]);
    await expect.poll(async () => (await panelOf(tab)).log, { timeout: 10_000 }).toEqual(named("request-resent"));
    await expect
      .poll(async () => (await panelOf(tab)).log.filter(([, name]) => name === "fetch").map(([, , details]) => details))
      .toEqual(
        expect.arrayContaining([
          expect.stringContaining(`url /api/me, ${status(401)}milliseconds `),
          expect.stringContaining(`url /api/me, ${status(200)}milliseconds `),
        ]),
      );
  }

  const tokens = [refused, ...(await all([first, second], () => app.session.getToken()))] as string[];
  for (const { markup } of [await panelOf(first), await panelOf(second)]) {
    expect(tokens.filter((token) => markup.includes(token) || markup.includes(token.split(".")[2] as string))).toEqual([]);
    expect(markup).not.toContain("secret");
  }

  const measures = () =>
    performance.getEntriesByType("measure").map((entry) => {
      const { name, duration, detail } = entry as PerformanceMeasure;
      return { name, took: duration > 0, ...detail.devtools };
    });
  const track = { dataType: "track-entry", track: "tokentide", trackGroup: "tokentide", took: true };
  expect(await first.run(measures)).toContainEqual(expect.objectContaining({ ...track, name: "tokentide: refresh", color: "primary" }));
  expect(await second.run(measures)).toContainEqual(
    expect.objectContaining({ ...track, name: "tokentide: resend", tooltipText: "resend, 401" }),
  );
  const written = JSON.stringify(await all([first, second], measures));
  expect(tokens.filter((token) => written.includes(token))).toEqual([]);

  await first.run((source) => void new Function(source)(), axe);
  const violations = await first.run(async () => {
    const { axe } = globalThis as unknown as { axe: { run(target: unknown): Promise<{ violations: { id: string }[] }> } };
    return (await axe.run("[data-tokentide-devtools]")).violations.map(({ id }) => id);
  });
  expect(violations).toEqual([]);

  await first.run(() => void dispatchEvent(new Event("unmount-devtools")));
  expect((await panelOf(first)).markup).toBe("");
  await expect.poll(async () => (await panelOf(second)).lanes).toMatch(/^Tab \w+: closed\./);
});
