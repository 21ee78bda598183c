import { execFile } from "node:child_process";
import { describe, expect, it } from "vitest";
import { root } from "./dist.js";

/** A script as a process of its own, in which nothing but the package keeps Node alive. */
function run(script: string): Promise<{ code: number; output: string; milliseconds: number }> {
  const source = `
    import { audiences, createSession, oauth2, SessionError } from "tokentide";
    let renewals = 0;
    const session = createSession({
      name: "script",
      refreshTimeout: 300,
      allowedOrigins: ["https://api.example.test"],
      audiences: audiences({ "https://billing.test": {} }),
      refresh: async () => (renewals++ ? { accessToken: "new", expiresIn: 3600 } : Promise.reject(new SessionError("server", "not now"))),
    });
    globalThis.fetch = async (_, { headers }) => new Response(null, { status: new Headers(headers).get("authorization") === "Bearer new" ? 200 : 401 });
    const signIn = () => session.signIn({ accessToken: "old", expiresIn: 3600 });
    ${script}
  `;
  return new Promise((resolve) => {
    const started = performance.now();
    execFile(process.execPath, ["--input-type=module", "-e", source], { cwd: root, timeout: 20_000 }, (error, stdout, stderr) => {
      const code = error ? Number(error.code ?? -1) : 0;
      resolve({ code, output: (stdout + stderr).trim(), milliseconds: performance.now() - started });
    });
  });
}

describe("R56 in Node", () => {
  // The first renewal fails, so that each of them waits for a pause.
  it.each([
    [
      "session.fetch",
      `await signIn(); await session.refresh().catch(() => {}); console.log((await session.fetch("https://api.example.test/")).status);`,
      "200",
    ],
    [
      "session.fetch with a signal",
      `await signIn(); await session.refresh().catch(() => {}); console.log((await session.fetch("https://api.example.test/", { signal: new AbortController().signal })).status);`,
      "200",
    ],
    [
      "getToken",
      `await session.signIn({ accessToken: "old", expiresIn: 1 }); const busy = session.refresh().catch(() => {}); await busy; console.log(await session.getToken({ minValidity: 500 }));`,
      "new",
    ],
    [
      "getToken of an audience",
      `await signIn(); await session.refresh().catch(() => {}); console.log(await session.getToken({ audience: "https://billing.test" }));`,
      "new",
    ],
    [
      "refresh",
      `await signIn(); session.on("refresh-failed", () => {}); await session.refresh().catch(({ code }) => console.log(code));`,
      "server",
    ],
    [
      "ready, signIn and signOut",
      `await session.ready; await signIn(); await session.signOut(); console.log(session.getSnapshot().reason);`,
      "user",
    ],
    [
      "a refresh function that never answers",
      `globalThis.stuck = createSession({ name: "stuck", refreshTimeout: 200, refresh: () => new Promise(() => {}) }); await stuck.signIn("x"); await stuck.refresh().catch(({ code }) => console.log(code));`,
      "timeout",
    ],
  ])("%s keeps the process alive until it settles", async (_, script, expected) => {
    const { code, output } = await run(script);
    expect([code, output]).toEqual([0, expected]);
  });

  it("what nobody waits for does not: a session that is signed in, whose next renewal is an hour away, or is being tried again", async () => {
    const { code, output, milliseconds } = await run(`await signIn(); session.refresh().catch(() => {}); console.log("over");`);
    expect([code, output]).toEqual([0, "over"]);
    expect(milliseconds).toBeLessThan(5_000);
  });
});
