// `node scripts/pictures.js`: the pictures of the demo page in docs/pictures/, taken anew: light, dark, and a short recording.
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import sharp from "sharp";
import { startDemo } from "../demo/start.js";
import { findChromium } from "./chromium.js";

const folder = fileURLToPath(new URL("../docs/pictures/", import.meta.url));
const size = { width: 1200, height: 675 };
const LIMIT = 1_000_000;
const FRAME = 250;
const LENGTH = 15_000;

/**
 * The page as a visitor has it after some seconds.
 * @param {import("playwright-core").Browser} browser
 * @param {string} url
 * @param {"light" | "dark"} colorScheme
 */
async function open(browser, url, colorScheme) {
  const context = await browser.newContext({ viewport: size, colorScheme, deviceScaleFactor: 1 });
  const page = await context.newPage();
  await page.goto(url);
  await page.getByText("Signed in as").first().waitFor();
  return page;
}

/** @param {import("playwright-core").Page} page */
async function record(page) {
  /** @type {Buffer[]} */
  const frames = [];
  const end = Date.now() + LENGTH;
  // One thing is broken on the way, and recovers.
  const breaking = setTimeout(() => page.evaluate(() => document.getElementById("break-down")?.click()).catch(() => {}), 3500);
  while (Date.now() < end) {
    const next = Date.now() + FRAME;
    frames.push(await page.screenshot({ type: "jpeg", quality: 95 }));
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - Date.now())));
  }
  clearTimeout(breaking);
  const delay = Math.round(LENGTH / frames.length);
  const small = await Promise.all(frames.map((frame) => sharp(frame).resize({ width: 900 }).png().toBuffer()));
  return sharp(small, { join: { animated: true } })
    .webp({ quality: 72, effort: 5, minSize: true, delay: small.map(() => delay), loop: 0 })
    .toBuffer();
}

mkdirSync(folder, { recursive: true });
const { path, env } = await findChromium();
const browser = await chromium.launch({ executablePath: path, env: { ...process.env, ...env }, chromiumSandbox: false });
const demo = await startDemo({ port: 0 });
try {
  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    const page = await open(browser, demo.url, colorScheme);
    await page.waitForTimeout(22_000);
    await sharp(await page.screenshot())
      .webp({ quality: 85 })
      .toFile(`${folder}demo-${colorScheme}.webp`);
    if (colorScheme === "light") {
      const recording = await record(page);
      if (recording.length >= LIMIT) throw new Error(`The recording has ${recording.length} bytes, and may have ${LIMIT}.`);
      writeFileSync(`${folder}demo.webp`, recording);
    }
    await page.context().close();
  }
} finally {
  await browser.close();
  await demo.close();
}
console.log(`The pictures are in ${folder}`);
