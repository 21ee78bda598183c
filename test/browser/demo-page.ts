import type { Page } from "playwright-core";
import { expect } from "vitest";

/** How long a page may take on a machine that is busy. */
export const waits = { timeout: 15_000 };

export const status = (page: Page) => page.getByRole("heading", { level: 2 }).first().textContent();
export const lines = async (page: Page, list: "events" | "requests") =>
  (await page.locator(`#${list} li`).allTextContents()).map((line) => line.replace(/^[\d:]+/, ""));
export const click = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();

export async function signIn(page: Page, user = "Ada Lovelace", button = "Sign in"): Promise<void> {
  await click(page, button);
  await click(page, `Sign in as ${user}`);
  await expect.poll(() => status(page), waits).toBe(`Signed in as ${user}`);
}
