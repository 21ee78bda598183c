import { mkdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { BrowserContextOptions, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { breakIt, type Home, homes, lanesOf, launch, status, truth, type Visitor, visit, waits } from "../demo-page.js";
import type { ChromiumBrowser } from "../harness/chromium.js";

// What was seen stays in `test-results/demo/`. What it is compared with lies beside this file; TOKENTIDE_PICTURES=1 takes it anew.
const results = fileURLToPath(new URL("../../../test-results/demo/", import.meta.url));
const expected = fileURLToPath(new URL("demo-looks/", import.meta.url));
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

const wide = { width: 1280, height: 900 };
const looks: Record<string, BrowserContextOptions> = {
  light: { viewport: wide, colorScheme: "light" },
  dark: { viewport: wide, colorScheme: "dark" },
  narrow: { viewport: { width: 360, height: 780 }, colorScheme: "light" },
};

let browser: ChromiumBrowser;
let home: Home;
let visitor: Visitor;

beforeAll(async () => {
  browser = await launch();
  for (const folder of [results, expected]) mkdirSync(folder, { recursive: true });
});
afterAll(() => browser.close());
afterEach(async () => {
  const { complaints } = visitor;
  await visitor.leave();
  expect(complaints, "what the page threw").toEqual([]);
});

/** As a visitor sees it after some seconds. */
async function opened(options: BrowserContextOptions): Promise<Page> {
  visitor = await visit(browser, options);
  const page = await visitor.open(home.url);
  await expect.poll(() => status(page), waits).toBe("Signed in as Ada Lovelace");
  await expect.poll(() => lanesOf(page), waits).toHaveLength(3);
  await expect.poll(async () => (await truth(page)).stats.refreshes, waits).toBeGreaterThan(0);
  return page;
}

/** Small and blurred: what moves, and how a machine draws its letters, must not count. */
const blurred = (picture: Buffer) => sharp(picture).resize(48, 96, { fit: "fill" }).removeAlpha().raw().toBuffer();

/** From 0 to 255, in the mean. */
async function difference(one: Buffer, other: Buffer): Promise<number> {
  const [a, b] = await Promise.all([blurred(one), blurred(other)]);
  return a.reduce((sum, value, index) => sum + Math.abs(value - b[index]!), 0) / a.length;
}

describe.each(Object.entries(homes))("how it looks, %s", (name, start) => {
  beforeAll(async () => {
    home = await start();
  });
  afterAll(() => home.close());

  it.each(Object.entries(looks))("%s: as it did, and axe finds nothing serious", async (look, options) => {
    const page = await opened(options);
    const picture = await page.screenshot({ fullPage: true });
    const file = `${name.replace(" ", "-")}-${look}`;
    await writeFile(`${results}${file}.png`, picture);
    const small = await sharp(picture).resize({ width: 200 }).webp({ quality: 60 }).toBuffer();
    if (process.env.TOKENTIDE_PICTURES) await writeFile(`${expected}${file}.webp`, small);
    const before = await readFile(`${expected}${file}.webp`);
    const [is, was] = [await sharp(small).metadata(), await sharp(before).metadata()];
    expect(Math.abs(is.height / was.height - 1), "how much taller or shorter the page is").toBeLessThan(0.1);
    expect(await difference(small, before), "of 255").toBeLessThan(8);

    const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(sideways, "pixels to scroll sideways").toBe(0);

    await page.addScriptTag({ path: axe });
    const found = await page.evaluate(async () => {
      const { axe } = window as unknown as { axe: typeof import("axe-core") };
      const { violations } = await axe.run();
      return violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ target }) => target).join("; ")}`);
    });
    expect(found.filter((violation) => /^(serious|critical)/.test(violation))).toEqual([]);
  });

  it("does not jump, neither while it loads nor when something is broken", async () => {
    visitor = await visit(browser, { viewport: wide });
    await visitor.profile.addInitScript(() => {
      const seen: string[] = [];
      Object.assign(window, { shifts: seen });
      type Shift = PerformanceEntry & { value: number; sources: { node?: Node }[] };
      new PerformanceObserver((list) => {
        for (const { value, sources } of list.getEntries() as Shift[]) {
          const what = sources.map(({ node }) => (node instanceof Element ? `${node.tagName}#${node.id}.${node.className}` : "text"));
          if (value > 0.005) seen.push(`${value.toFixed(4)} ${what.join(", ")}`);
        }
      }).observe({ type: "layout-shift", buffered: true });
    });
    const page = await visitor.open(home.url);
    await expect.poll(() => lanesOf(page), waits).toHaveLength(3);
    await breakIt(page, "once");
    expect(await page.evaluate(() => (window as unknown as { shifts: string[] }).shifts)).toEqual([]);
  });

  it("stands still for those who asked for reduced motion, and still tells the time", async () => {
    const page = await opened({ viewport: wide, reducedMotion: "reduce" });
    const moved = await page.evaluate(async () => {
      let count = 0;
      const watcher = new MutationObserver((changes) => {
        count += changes.length;
      });
      watcher.observe(document.getElementById("timeline") as Element, { attributes: true, attributeFilter: ["transform"], subtree: true });
      await new Promise((resolve) => setTimeout(resolve, 1500));
      return { count, animations: document.getAnimations().length };
    });
    expect(moved).toEqual({ count: 0, animations: 0 });
    const before = await page.locator("#expires-in").textContent();
    await expect.poll(() => page.locator("#expires-in").textContent(), waits).not.toBe(before);
  });

  it("is usable from the keyboard", async () => {
    visitor = await visit(browser, looks.narrow);
    const page = await visitor.open(`${home.url}?manual`);
    await page.getByRole("button", { name: "Sign in as Ada" }).focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => status(page), waits).toBe("Signed in as Ada Lovelace");
    await page.locator("#break-once").focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator("#did-once").textContent(), waits).toContain("As it should");
    expect(await page.evaluate(() => document.activeElement?.id), "where the focus is").toBe("break-once");
    await page.getByRole("radio", { name: "OAuth 2" }).focus();
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => page.locator("#code").textContent(), waits).toContain("dpop: proofs");
    await expect.poll(() => status(page), waits).toBe("Signed in as Ada Lovelace");
  });

  it.runIf(name === "static")("paints at most a second later than a page of one word", async () => {
    const paintOf = async (url: string) => {
      await visitor?.leave();
      visitor = await visit(browser);
      const page = await visitor.open(url);
      const paint = () => page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
      await expect.poll(paint, waits).toBeDefined();
      return (await paint()) as number;
    };
    const later: number[] = [];
    for (let visits = 0; visits < 4; visits++) later.push(-(await paintOf("data:text/html,word")) + (await paintOf(home.url)));
    // The best of the first visits: the others, and the page of one word, say how busy the machine is.
    expect(Math.min(...later), "milliseconds").toBeLessThan(1000);
  });
});
