import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { entries, manifest, root } from "./dist.js";
import { compiler, install, pack } from "./packed.js";

describe("the packed tarball", () => {
  let folder: string;
  let packed: ReturnType<typeof pack>;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tokentide-"));
    packed = pack(folder);
    install(folder, packed.tarball);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** What the program prints. A process that something keeps alive is killed at the time limit, and this throws. */
  function run(source: string): string {
    writeFileSync(join(folder, "main.js"), source);
    return execFileSync(process.execPath, ["main.js"], { cwd: folder, encoding: "utf8", timeout: 10_000 }).trim();
  }

  it("holds the build, its types and the papers, and nothing else", () => {
    const built = packed.files.filter((file) => file.startsWith("dist/"));
    // What several entries share is in files whose names end in a hash.
    const shared = built.filter((file) => /-[A-Z\w-]{8}(\.d\.ts|\.js)$/.test(file));
    expect(built.filter((file) => !shared.includes(file))).toEqual(
      entries.flatMap((entry) => [entry.default.slice(2), entry.types.slice(2)]).sort(),
    );
    expect(packed.files.filter((file) => !built.includes(file))).toEqual(["CHANGELOG.md", "LICENSE", "README.md", "package.json"]);
  });

  it("has a manifest that says what the repository says", () => {
    const inside = JSON.parse(readFileSync(join(folder, "node_modules", "tokentide", "package.json"), "utf8"));
    const { version, dependencies } = manifest;
    expect(inside).toMatchObject({ name: "tokentide", version, type: "module", sideEffects: false, license: "MIT", dependencies });
  });

  it.each(entries.map(({ path }) => `tokentide${path.slice(1)}`))(
    "R36 I1 I2 I3 I4 I5 I6 %s is imported from ESM in Node, where there is no page",
    (name) => {
      const before = name.endsWith("/angular") ? `await import("${compiler}");` : "";
      expect(run(`${before} console.log(Object.keys(await import("${name}")).length > 0)`)).toBe("true");
    },
  );

  it("R36 is imported from ESM in Node, makes a session, and lets the process end", () => {
    const output = run(
      `import { createSession, oauth2, SessionError } from "tokentide";
       const session = createSession({ refresh: oauth2({ tokenEndpoint: "https://auth.example.com/token", clientId: "spa" }) });
       console.log(typeof session.fetch, session.getSnapshot().status, new SessionError("busy", "").code);`,
    );
    expect(output).toMatch(/^function (restoring|signed-out) busy$/);
  });

  it("R36 a signed-in session, its refresh planned, keeps no process alive either", () => {
    const output = run(
      `import { createSession } from "tokentide";
       const session = createSession({ name: "app", refresh: () => ({ accessToken: "renewed", expiresIn: 3600 }) });
       await session.signIn({ access_token: "opaque", expires_in: 3600 });
       console.log(await session.getToken() === "opaque", session.getSnapshot().status, session.getSnapshot().refreshDueAt > Date.now());`,
    );
    expect(output).toBe("true signed-in true");
  });

  it("R36 importing it adds no global, patches none and starts nothing", () => {
    const output = run(
      `new Request("https://example.com"); // Node loads these on first use, and ky asks what they can do.
       process.stdout.write("");
       const settled = () => new Promise((resolve) => setTimeout(resolve, 10));
       await settled();
       const running = process.getActiveResourcesInfo().join();
       const before = Reflect.ownKeys(globalThis), { fetch: send, setTimeout: wait } = globalThis;
       await import("tokentide");
       const added = Reflect.ownKeys(globalThis).filter((name) => !before.includes(name));
       await settled();
       const patched = globalThis.fetch !== send || globalThis.setTimeout !== wait;
       console.log(JSON.stringify({ added: added.map(String), patched, started: process.getActiveResourcesInfo().join() !== running }));`,
    );
    expect(JSON.parse(output)).toEqual({ added: [], patched: false, started: false });
  });

  it("R40 has types that every ESM resolution finds", () => {
    const attw = join(root, "node_modules", "@arethetypeswrong", "cli", "dist", "index.js");
    // It ends with a code of its own, and so throws here, when a resolution that the profile cares for has a problem.
    const output = execFileSync(process.execPath, [attw, packed.tarball, "--profile", "esm-only", "--format", "ascii", "--no-color"]);
    const fine = /"tokentide[\w/-]*"\s+node16 \(from ESM\): 🟢 \(ESM\)\s+bundler: 🟢/g;
    expect(output.toString().match(fine)).toHaveLength(entries.length);
  });
});
