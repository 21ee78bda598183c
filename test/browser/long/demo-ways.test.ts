import { build } from "esbuild";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Session } from "../../../src/index.js";
import { root } from "../../package/dist.js";
import { complaints as complaintsAbout } from "../../package/samples.js";
import {
  breakIt,
  click,
  type Home,
  homes,
  lanesOf,
  launch,
  lines,
  set,
  signIn,
  status,
  text,
  truth,
  type Visitor,
  visit,
  waits,
} from "../demo-page.js";
import type { ChromiumBrowser } from "../harness/chromium.js";

const works = "the API: accepted. Elsewhere, the token endpoint: accepted";
const useless = "the API: refused. Elsewhere, the token endpoint: refused";

/** By what the page calls them; the answer to a lost rotation, to a theft, and what a copy is worth elsewhere. */
const ways = {
  "OAuth 2": { folder: "", lost: "possibly a lost rotation", stolen: "reused: 1", copied: works },
  DPoP: { folder: "", lost: "possibly a lost rotation", stolen: "The server refused the thief. The owner renewed", copied: useless },
  "Token pair": { folder: "pair/", lost: "possibly a lost rotation", stolen: "reused: 1", copied: works },
  Cookie: {
    folder: "cookie/",
    lost: "possibly a lost rotation",
    stolen: "found nothing that renews",
    copied: "the token endpoint: nothing to send",
  },
  Sliding: { folder: "sliding/", lost: "the session went on", stolen: "Both go on", copied: works },
  "Soft expiry": { folder: "softexp/", lost: "possibly a lost rotation", stolen: "reused: 1", copied: works },
};

let browser: ChromiumBrowser;
let home: Home;
let visitor: Visitor;
let page: Page;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const signedIn = () => expect.poll(() => status(page), waits).toBe("Signed in as Ada Lovelace");

/** As an app would have it, without what the demo adds, in the page: what the API answers before and after a sign-in. */
async function run(code: string, folder: string): Promise<number[]> {
  const jkt = code.includes("proofs") ? "await thumbprintOf(crypto, await proofs.keyPair())" : "undefined";
  const contents = `import { thumbprintOf } from "./src/dpop/proof.ts";
    ${code}
    Object.assign(globalThis, { shown: { session, response, jkt: ${jkt} } });`;
  const { outputFiles } = await build({
    stdin: { contents, loader: "ts", resolveDir: root },
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
  });
  await page.addScriptTag({ content: outputFiles[0]!.text, type: "module" });
  await page.waitForFunction(() => "shown" in globalThis);
  return page.evaluate(async (folder) => {
    const { shown } = globalThis as unknown as { shown: { session: Session; response: Response; jkt: string | undefined } };
    const { session, response, jkt } = shown;
    const [path, body] = folder === "" ? ["control/sign-in", { subject: "ada", jkt }] : [`${folder}sign-in`, { user: "ada" }];
    const answer = await fetch(path, { method: "POST", body: JSON.stringify(body) }).then((response) => response.json());
    await session.signIn(folder === "" ? answer : { ...answer, accessToken: answer.accessToken ?? answer.token });
    await session.refresh();
    const after = await session.fetch(response.url);
    session.dispose();
    return [response.status, after.status];
  }, folder);
}

// Five things are waited for one after the other.
describe.each(Object.entries(homes))("ways of renewing, %s", { timeout: 180_000 }, (_, start) => {
  beforeAll(async () => {
    home = await start();
  });
  afterAll(() => home.close());
  beforeEach(async () => {
    visitor = await visit(browser);
    page = await visitor.open(home.url);
    await signedIn();
    await expect.poll(() => lanesOf(page), waits).toHaveLength(3);
    // A token that slides is over when a busy machine renews it too late; and a page that is reloaded while it renews ends the session.
    await set(page, "settings", { accessTokenSeconds: 600 });
  });
  afterEach(async () => {
    const { complaints } = visitor;
    await visitor.leave();
    expect(complaints, "what the pages threw").toEqual([]);
  });

  it.each(Object.entries(ways))(
    "%s: renews for all tabs, and its code is what an app would write",
    async (title, { folder, lost, stolen, copied }) => {
      await page.getByText(title, { exact: true }).click();
      const called = () => expect.poll(() => lines(page, "requests"), waits).toContainEqual(`GET /${folder}api/me → 200`);
      await called();
      await page.reload();
      await called();
      // The embedded tabs come later, and only those that are there can adopt a token.
      await expect.poll(() => page.frames().length, waits).toBe(3);
      for (const frame of page.frames()) {
        await expect.poll(() => frame.locator("#status").textContent(), waits).toBe("Signed in as Ada Lovelace");
      }
      const { stats: before } = await truth(page);
      await click(page, "Refresh now");
      await expect.poll(async () => (await truth(page)).stats.refreshes - before.refreshes, waits).toBeGreaterThan(0);
      await expect.poll(() => lines(page, "events"), waits).toContainEqual(expect.stringMatching(/^Tab \d adopted token/));

      const code = await text(page, "code");
      const sample = { code, where: title, heading: title, runnable: true };
      expect(complaintsAbout([sample]).get(sample) ?? []).toEqual([]);
      // Two sessions cannot have one cookie.
      await click(page, "Sign out");
      await expect.poll(() => lines(page, "requests"), waits).toContainEqual(expect.stringMatching(/(sign-out|revoke) → 20[04]/));
      expect(await run(code, folder)).toEqual([401, 200]);
      await signIn(page);

      expect(await breakIt(page, "once")).toMatchObject({ tone: "good", did: expect.stringContaining("401, then 200") });
      expect((await truth(page)).stats.reused - before.reused, "tokens reused until here").toBe(0);
      for (const [id, outcome] of [
        ["copy", copied],
        ["steal", stolen],
        ["lost", lost],
        ["revoke", "signed out"],
      ] as const) {
        if ((await status(page)) === "Signed out") await signIn(page);
        expect(await breakIt(page, id), id).toMatchObject({ tone: "good", did: expect.stringContaining(outcome) });
      }
      expect(await status(page)).toBe("Signed out");
    },
  );
});
