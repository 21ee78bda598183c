import { describe, expect, it } from "vitest";
import { all, useBrowser } from "./harness/scenario.js";

const browser = useBrowser();

/** By default the first refresh after a sign-in comes at any time, and would be heard. */
const notDueYet = { lead: 5000 };

describe("an idle limit in real tabs", () => {
  it("R41 activity in one tab keeps both signed in; without any, both are warned, and end with reason idle", async () => {
    const site = await browser.site({ accessTokenSeconds: 60, session: notDueYet, idle: { after: 4_000, warnBefore: 1_500 } });
    const tabs = await site.openSignedIn(2);
    const heard = () => all(tabs, () => app.heard.filter((event) => event.startsWith("idle") || event.startsWith("signed-out")));
    const before = await all(tabs, () => app.heard.length);

    // Twice the limit, in the first tab only; by itself, since a driver that is held up would be a user who has gone.
    await tabs[0]!.run(async () => {
      for (let moves = 0; moves < 32; moves++) {
        document.body.dispatchEvent(new PointerEvent("pointermove", { bubbles: true }));
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    });
    expect(await all(tabs, () => app.session.getSnapshot().status)).toEqual(["signed-in", "signed-in"]);
    expect(await heard()).toEqual([[], []]);
    expect(await all(tabs, () => app.heard.length)).toEqual(before);

    await expect.poll(heard, { timeout: 10_000 }).toEqual([
      ["idle-warning", "signed-out idle"],
      ["idle-warning", "signed-out idle"],
    ]);
    expect(await all(tabs, () => app.session.getToken())).toEqual([null, null]);
    const [late] = await site.open(1);
    expect(await late!.run(() => app.session.getSnapshot())).toMatchObject({ status: "signed-out", reason: "idle" });
  });

  it("R41 a warning is taken back in both tabs by activity in one of them", async () => {
    const site = await browser.site({ accessTokenSeconds: 60, session: notDueYet, idle: { after: 4_000, warnBefore: 3_000 } });
    const tabs = await site.openSignedIn(2);
    const warned = () => all(tabs, () => app.heard.filter((event) => event.startsWith("idle")));
    await expect.poll(warned, { timeout: 10_000, interval: 50 }).toEqual([["idle-warning"], ["idle-warning"]]);

    await tabs[1]!.run(() => app.session.touch());

    await expect.poll(() => all(tabs, () => app.heard.includes("idle-cancelled")), { interval: 50 }).toEqual([true, true]);
    expect(await all(tabs, () => app.session.getSnapshot().status)).toEqual(["signed-in", "signed-in"]);
  });
});
