import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { startServer } from "../../servers/oauth/index.js";
import { install, pack } from "../package/packed.js";
import { buildWith, names } from "./harness/bundlers.js";
import { useBrowser } from "./harness/scenario.js";

const browser = useBrowser();
const types: Record<string, string> = { ".html": "text/html", ".js": "text/javascript" };

/** Serves a folder beside the authorization server and the API. */
async function serve(folder: string) {
  const asked: string[] = [];
  const server = await startServer({
    accessTokenSeconds: 600,
    fallback(request, response) {
      const { pathname } = new URL(request.url ?? "/", "http://page");
      asked.push(pathname);
      const file = join(folder, pathname === "/" ? "index.html" : pathname);
      if (!existsSync(file)) return void response.writeHead(404).end();
      response.writeHead(200, { "content-type": `${types[extname(file)]}; charset=utf-8` }).end(readFileSync(file));
    },
  });
  onTestFinished(() => server.close());
  return { server, asked };
}

describe("an app with a refresh token in a worker, from the packed tarball", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tokentide-bundlers-"));
    install(folder, pack(folder).tarball);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(names)("that %s has built renews through a worker of its own, and through the published file", async (name) => {
    const built = await buildWith(name, folder);
    for (const [query, worker] of [
      ["", "/vault-worker.js"],
      ["?packed", "/packed.js"],
    ]) {
      const { server, asked } = await serve(built);
      const tabs = [await browser.current.newTab(`${server.url}/${query}`), await browser.current.newTab(`${server.url}/${query}`)];
      for (const tab of tabs) await tab.run(() => app.session.ready);
      const tokens = await server.issueTokens();
      await tabs[0]!.run((tokens) => app.session.signIn(tokens), tokens);
      for (const tab of tabs) {
        await expect.poll(() => tab.run(() => app.session.getSnapshot().status)).toBe("signed-in");
        // A tab that has not heard of the renewal before takes that one first.
        const refresh = () => tab.run(() => app.session.refresh());
        expect(await refresh().then((outcome) => (outcome === "adopted" ? refresh() : outcome))).toBe("refreshed");
      }
      expect(server.stats).toMatchObject({ refreshes: 2, reused: 0 });
      // No hash, so a deploy does not change the address.
      expect(asked).toContain(worker);
      for (const tab of tabs) await tab.close();
    }
  });
});
