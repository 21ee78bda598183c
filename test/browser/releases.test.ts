import { describe, expect, it } from "vitest";
import type { Tab } from "./harness/browser.js";
import { all, cannot, expectOneToken, useBrowser } from "./harness/scenario.js";
import type { Site } from "./harness/site.js";

// Two packages in two real tabs: this release, and one whose format is later.
const browser = useBrowser();

/** By default the first refresh after a sign-in comes at any time. */
const session = { lead: 500 };

const status = (tab: Tab) => tab.run(() => app.session.getSnapshot().status);
const refresh = (tab: Tab) => tab.run(() => app.session.refresh().catch(({ code }) => code as string));
const getToken = (tab: Tab) =>
  tab.run(() =>
    app.session.getToken().then(
      (token) => token !== null,
      ({ code }) => code as string,
    ),
  ); // prettier-ignore
/** Waits until the tabs have the same token, which is another one than before. */
async function expectNewToken(tabs: Tab[], before: string | null): Promise<void> {
  await expect.poll(() => tabs[0]!.run(() => app.serial())).not.toBe(before);
  await expectOneToken(tabs);
}
const expectNothingLost = (site: Site, tabs: Tab[]) =>
  Promise.all([
    expect(site.server.stats).toMatchObject({ reused: 0, revoked: 0 }),
    expect(all(tabs, () => app.heard.filter((event) => event.startsWith("signed-out")))).resolves.toEqual(tabs.map(() => [])),
  ]);

describe("R86 a tab of this release beside a tab of a later one", () => {
  it("serves the later one's token, renews nothing, and says `newer-release` once the token has expired", async () => {
    const site = await browser.site({ accessTokenSeconds: 4, session });
    const [now] = await site.openSignedIn(1);
    const later = await site.openAt("later");
    const first = await later.run(() => app.serial());
    await expect(refresh(later)).resolves.toBe("refreshed");
    await expectNewToken([now!, later], first);
    await expect(refresh(now!)).resolves.toBe("newer-release");
    await later.run(() => app.session.dispose());
    const { attempts } = site.server.stats;

    await expect.poll(() => getToken(now!), { timeout: 10_000 }).toBe("newer-release");
    const opened = await site.open(1);
    await expect(getToken(opened[0]!)).resolves.toBe("newer-release");
    await expect(all([now!, ...opened], () => app.session.getSnapshot().status)).resolves.toEqual(["signed-in", "signed-in"]);
    expect(site.server.stats.attempts).toBe(attempts);

    const again = await site.openAt("later");
    await expectOneToken([again, now!]);
    await expectNothingLost(site, [now!, again]);
  });

  it("gives the later one what it renews, until the later one has written", async () => {
    const site = await browser.site({ accessTokenSeconds: 600, session });
    const [now] = await site.openSignedIn(1);
    const later = await site.openAt("later");
    for (const [tab, tabs] of [
      [now!, [later, now!]],
      [later, [now!, later]],
    ] as const) {
      // prettier-ignore
      const before = await tab.run(() => app.serial());
      await expect(refresh(tab)).resolves.toBe("refreshed");
      await expectNewToken([...tabs], before);
    }
    await expectNothingLost(site, [now!, later]);
  });

  it("hands out nothing of a release that serves itself only, and the user stays signed in", async () => {
    const site = await browser.site({ accessTokenSeconds: 600, session, laterServesItselfOnly: true });
    const later = await site.openAt("later");
    await site.signIn(later, "ada");
    const [now] = await site.open(1);
    await expect(Promise.all([getToken(now!), refresh(now!), status(now!)])).resolves.toEqual([
      "newer-release",
      "newer-release",
      "signed-in",
    ]);
    await expect(refresh(later)).resolves.toBe("refreshed");
    await expect(getToken(later)).resolves.toBe(true);
    await expectNothingLost(site, [now!, later]);
  });

  it.each(["this", "the later"])("is signed out with it by %s release's sign-out, and so is the next page of each", async (which) => {
    const site = await browser.site({ accessTokenSeconds: 600, session });
    const later = await site.openAt("later");
    await site.signIn(later, "ada");
    const [now] = await site.open(1);
    await expect.poll(() => all([now!, later], () => app.session.getSnapshot().status)).toEqual(["signed-in", "signed-in"]);

    await (which === "this" ? now! : later).run(() => app.session.signOut());

    const ends = () => all([now!, later], () => app.heard.filter((event) => event.startsWith("signed-out")));
    await expect.poll(ends).toEqual([["signed-out user"], ["signed-out user"]]);
    await expect(Promise.all([...(await site.open(1)), await site.openAt("later")].map(status))).resolves.toEqual([
      "signed-out",
      "signed-out",
    ]);
  });

  it.for(["this", "the later"])(
    "is on one token with it again when one page was in the back/forward cache and %s release renewed meanwhile",
    async (which, context) => {
      cannot(context, !browser.current.backForwardCache, "this browser has no back/forward cache");
      const site = await browser.site({ accessTokenSeconds: 600, session });
      const [now] = await site.openSignedIn(1);
      const later = await site.openAt("later");
      const [left, stays] = which === "this" ? [later, now!] : [now!, later];
      const before = await stays.run(() => app.serial());
      await left.goto(site.elsewhere);
      await expect(refresh(stays)).resolves.toBe("refreshed");
      const after = await stays.run(() => app.serial());
      expect(after).not.toBe(before);

      site.goBack();

      await expect.poll(() => site.reports.at(-1), { timeout: 10_000 }).toMatchObject({ status: "signed-in", serial: after, failures: [] });
      expect(site.server.stats).toMatchObject({ refreshes: 1, reused: 0, revoked: 0 });
    },
  );
});
