import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root, temporaryFolder } from "./dist.js";
import { samplesOf } from "./samples.js";

const samples = samplesOf("docs/testing.md").map(({ code }) => code);
const withRunner = (runner: string) => samples.find((code) => code.includes(`from "${runner}"`))!;

/** A project of somebody who has the package, and one file of it. */
function project(file: string, code: string): string {
  const folder = temporaryFolder();
  const modules = join(folder, "node_modules");
  mkdirSync(modules);
  for (const name of ["vitest", "msw"]) symlinkSync(join(root, "node_modules", name), join(modules, name), "junction");
  symlinkSync(root, join(modules, "tokentide"), "junction");
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(join(folder, file), code);
  return folder;
}

/** What the runner says; throws when a test fails. */
function run(folder: string, ...parameters: string[]): string {
  const { NODE_OPTIONS: _, VITEST: __, ...env } = process.env;
  return execFileSync(process.execPath, parameters, { cwd: folder, encoding: "utf8", env: { ...env, NO_COLOR: "1" }, timeout: 50_000 });
}

describe("tokentide/testing in the tests of an app", () => {
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");

  it("the documented test passes under vitest", () => {
    const folder = project("app.test.ts", withRunner("vitest"));
    expect(run(folder, vitest, "run", "--root", folder)).toMatch(/1 passed/);
  });

  it("the documented test passes under node:test", () => {
    const folder = project("app.test.js", withRunner("node:test"));
    expect(run(folder, "--test", "--test-reporter=tap", "app.test.js")).toMatch(/# pass 1\b/);
  });

  it("the documented handlers for msw rotate, let in who has a valid token, and end the session when a refresh token comes again", () => {
    const folder = project(
      "main.js",
      `${withRunner("msw")}
      import { createSession, oauth2 } from "tokentide";
      server.listen({ onUnhandledRequest: "error" });
      const me = "https://api.example.com/me";
      const session = createSession({
        refresh: oauth2({ tokenEndpoint: auth.tokenEndpoint, clientId: "spa" }),
        allowedOrigins: ["https://api.example.com"],
      });
      const before = (await session.fetch(me)).status;
      const stolen = auth.signIn("ada");
      await session.signIn(stolen);
      auth.grants.expireAccessTokens();
      const { name } = await (await session.fetch(me)).json();
      const body = new URLSearchParams({ grant_type: "refresh_token", refresh_token: stolen.refresh_token, client_id: "spa" });
      const thief = (await fetch(auth.tokenEndpoint, { method: "POST", body })).status;
      const refusal = await session.refresh().catch(({ code }) => code);
      console.log(JSON.stringify({ before, name, refreshes: auth.stats.refreshes, thief, refusal, reason: session.getSnapshot().reason }));`,
    );
    const said = JSON.parse(run(folder, "main.js"));
    expect(said).toEqual({ before: 401, name: "Ada", refreshes: 1, thief: 400, refusal: "rejected", reason: "rejected" });
  });
});
