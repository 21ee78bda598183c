import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { root } from "./dist.js";
import { install, npm, pack } from "./packed.js";

/** Jest's own packages. They are no packages of the project's: this test installs them. */
const jest = join(root, "test", "jest");
const modules = join(jest, "node_modules");

const uses = `
  expect([typeof TextEncoder, typeof Request, typeof document]).toEqual(["undefined", "undefined", "object"]);
  const session = createSession({ name: "app", refresh: async () => ({ accessToken: "second", expiresIn: 300 }) });
  await session.signIn({ access_token: "first", refresh_token: "r1", expires_in: 300 });
  expect(await session.getToken()).toBe("first");
  expect(await session.refresh()).toBe("refreshed");
  expect(session.peekToken()).toBe("second");
  await session.signOut();
  session.dispose();`;

/** The two kinds of Jest, as `docs/testing.md` sets them up. */
const kinds = {
  "CommonJS, which transforms the package": {
    node: [],
    test: `const { createSession } = require("tokentide"); require("tokentide/react"); test("a session", async () => {${uses}});`,
    config: {
      transform: { "\\.js$": [join(modules, "babel-jest"), { plugins: [join(modules, "@babel", "plugin-transform-modules-commonjs")] }] },
      transformIgnorePatterns: ["/node_modules/(?!(tokentide|jwt-decode|ky)/)"],
    },
    type: "commonjs",
  },
  "ES modules": {
    node: ["--experimental-vm-modules"],
    test: `import { createSession } from "tokentide"; import "tokentide/react"; test("a session", async () => {${uses}});`,
    config: { transform: {} },
    type: "module",
  },
};

describe("R97 in Jest with jsdom, which has no TextEncoder and no Request", () => {
  let folder: string;
  beforeAll(() => {
    if (!existsSync(join(modules, "jest"))) execFileSync(npm, ["ci", "--ignore-scripts"], { cwd: jest, stdio: "ignore" });
    folder = mkdtempSync(join(tmpdir(), "tokentide-jest-"));
    install(folder, pack(folder).tarball);
  }, 300_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(Object.entries(kinds))("a session is made and used: %s", (_, { node, test, config, type }) => {
    const environment = { testEnvironment: join(modules, "jest-environment-jsdom"), rootDir: folder };
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type, jest: { ...config, ...environment } }));
    writeFileSync(join(folder, "app.test.js"), test);
    execFileSync(process.execPath, [...node, join(modules, "jest", "bin", "jest.js"), "--ci"], { cwd: folder, stdio: "pipe" });
  });
});
