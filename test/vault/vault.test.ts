import { describe, expect, it } from "vitest";
import { createSession, vault } from "../../src/index.js";
import { SECOND, scene } from "../support/scene.js";
import { CLIENT } from "./keeper-scene.js";

type Listener = (event: { data?: unknown }) => void;

/** A worker whose port has these messages, and what the page did with it. */
function fakeWorker({ shared = true, answers = (_message: { id: number }): unknown => undefined } = {}) {
  const log: string[] = [];
  const made: { listeners: Set<Listener>; errors: Set<Listener> }[] = [];
  const closedPorts = new Set<unknown>();
  const make = () => {
    const listeners = new Set<Listener>();
    const errors = new Set<Listener>();
    const closed = closedPorts;
    made.push({ listeners, errors });
    const line = {
      postMessage(message: { id: number; kind: string }) {
        log.push(message.kind);
        const answer = answers(message);
        if (answer !== undefined) for (const listener of [...listeners]) listener({ data: { id: message.id, answer } });
      },
    };
    const port = {
      ...line,
      addEventListener: (_: string, listener: Listener) => listeners.add(listener),
      removeEventListener: (_: string, listener: Listener) => listeners.delete(listener),
      start: () => {},
      close: () => closed.add(listeners),
    };
    const worker = {
      addEventListener: (type: string, listener: Listener) => (type === "error" ? errors : listeners).add(listener),
      removeEventListener: (type: string, listener: Listener) => (type === "error" ? errors : listeners).delete(listener),
    };
    return (shared ? { ...worker, port } : { ...worker, ...line }) as never;
  };
  const listening = () => made.reduce((sum, { listeners, errors }) => sum + listeners.size + errors.size, 0);
  return { make, made, log, listening, closedPorts };
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "no failure",
    (error: { code?: string }) => error.code ?? error,
  );

describe("`vault`", () => {
  it.each([
    [undefined, /expected an object with worker/],
    [{ ...CLIENT }, /worker must be a path/],
    [{ ...CLIENT, worker: "vault-worker.js" }, /worker must be a path/],
    [{ ...CLIENT, worker: "//evil.test/worker.js" }, /worker must be a path/],
    [{ ...CLIENT, worker: "/\\evil.test/worker.js" }, /worker must be a path/],
    [{ ...CLIENT, worker: "blob:https://app.test/1" }, /worker must be a path/],
    [{ worker: "/w.js", tokenEndpoint: "/token" }, /clientId must be/],
    [{ worker: "/w.js", clientId: "spa" }, /either issuer or tokenEndpoint/],
    [{ worker: "/w.js", clientId: "spa", issuer: "https://a.test", tokenEndpoint: "/token" }, /either issuer or tokenEndpoint/],
    [{ ...CLIENT, worker: () => {}, scope: "openid" }, /in keepTokens/],
    [{ ...CLIENT, worker: "/w.js", answer: () => "rejected" }, /no option answer/],
    [{ ...CLIENT, worker: "/w.js", shared: "yes" }, /shared must be/],
  ])("says what is wrong with %j", (options, message) => {
    expect(() => vault(options as never)).toThrow(message);
  });

  it("has the identity of `oauth2`, so a stored session of it is found", () => {
    expect(vault({ ...CLIENT, worker: "/w.js" })).toMatchObject({ id: `${CLIENT.tokenEndpoint} spa`, clientId: "spa" });
  });

  it("in Node starts nothing, and says so where it is used", async () => {
    const kept = vault({ ...CLIENT, worker: "/w.js" });
    const session = createSession({ refresh: kept });
    await session.ready;
    expect(session.getSnapshot().status).toBe("signed-out");
    expect(await codeOf(kept.exchangeCode({ code: "c" }))).toBe("configuration");
    expect(await codeOf(session.signIn({ access_token: "a", refresh_token: "r" }))).toBe("configuration");
    session.dispose();
  });

  it("closes each port, stops listening, and holds the worker that it made first", async () => {
    const { make, made, log, listening, closedPorts } = fakeWorker({ answers: () => ({ tokens: { accessToken: "a" } }) });
    const kept = vault({ ...CLIENT, worker: make, shared: true });
    await kept.exchangeCode({ code: "c" });
    await kept.exchangeCode({ code: "d" });
    // What still listens is for an error of the held one.
    expect([made.length, log, listening(), closedPorts.size]).toEqual([2, ["exchange", "exchange"], 1, 1]);
  });

  it.each([
    ["a Worker where all tabs share it", { shared: true }, false],
    ["a SharedWorker with `shared: false`", { shared: false }, true],
  ])("takes %s for a wrong set-up", async (_, option, shared) => {
    const { make } = fakeWorker({ shared });
    const kept = vault({ ...CLIENT, worker: make, ...option });
    await expect(kept.exchangeCode({ code: "c" })).rejects.toThrow(/the worker must be a/);
    expect(await codeOf(kept.exchangeCode({ code: "c" }))).toBe("configuration");
  });

  it("makes the worker of this tab anew after one that did not load, which is silent, and keeps one that has answered, whatever its script throws", async () => {
    let silent = true;
    const { make, made, log } = fakeWorker({
      shared: false,
      answers: () => (silent ? undefined : { failed: { code: "rejected", message: "" } }),
    });
    const fail = () => made.at(-1)!.errors.forEach((listener) => void listener({}));
    const kept = vault({ ...CLIENT, worker: make, shared: false });
    const asked = kept.exchangeCode({ code: "c" });
    await Promise.resolve();
    fail();
    expect(await codeOf(asked)).toBe("configuration");
    silent = false;
    expect(await codeOf(kept.exchangeCode({ code: "c" }))).toBe("rejected");
    fail();
    expect(await codeOf(kept.exchangeCode({ code: "c" }))).toBe("rejected");
    silent = true;
    void kept.exchangeCode({ code: "c" }).catch(() => log.push("failed"));
    await Promise.resolve();
    fail();
    await Promise.resolve();
    expect([made.length, log]).toEqual([2, Array(4).fill("exchange")]);
  });

  it("says that the browser did not load the worker, and what makes it throw", async () => {
    const { make, made, closedPorts } = fakeWorker();
    const kept = vault({ ...CLIENT, worker: make, shared: true });
    const asked = kept.exchangeCode({ code: "c" });
    await Promise.resolve();
    for (const { errors } of made) for (const listener of errors) listener({});
    await expect(asked).rejects.toThrow(/did not load the worker.*worker-src/);
    // The next one holds the worker, so its port stays open.
    void kept.exchangeCode({ code: "c" }).catch(() => {});
    await Promise.resolve();
    for (const { errors } of made) for (const listener of errors) listener({});
    expect([made.length, closedPorts.size]).toEqual([2, 0]);
    const refuses = vault({
      ...CLIENT,
      worker: () => {
        throw new DOMException("Access is denied", "SecurityError");
      },
      shared: true,
    });
    expect(await codeOf(refuses.exchangeCode({ code: "c" }))).toBe("configuration");
  });

  it("waits for a silent worker no longer than its limits: 35 s for a login, and the session's own for a renewal", async () => {
    const stage = scene();
    const { make, listening } = fakeWorker({
      answers: ({ id: _, ...message }) => ((message as { kind?: string }).kind === "take" ? { handle: "tokentide-handle:1.0" } : undefined),
    });
    const refresh = vault({ ...CLIENT, worker: make, shared: true });
    const app = await stage.open({ refresh });
    const begun = stage.clock.now();
    expect(await stage.outcome(refresh.exchangeCode({ code: "c" }), 60 * SECOND)).toBe("timeout");
    expect([stage.clock.now() - begun < 36 * SECOND, listening()]).toEqual([true, 1]);
    await stage.clock.until(app.session.signIn(stage.server.signIn()));
    expect(await stage.outcome(app.session.refresh())).toBe("timeout");
  });

  it("names what is wrong with the argument of exchangeCode", async () => {
    const { make } = fakeWorker();
    const kept = vault({ ...CLIENT, worker: make, shared: true });
    for (const login of [undefined, {}, { code: 7 }, { code: "c", state: "s" }])
      await expect(kept.exchangeCode(login as never)).rejects.toThrow(TypeError);
  });
});
