import { describe, expect, it } from "vitest";
import { createSession } from "../../src/session/session.js";
import { HOUR, scene } from "../support/scene.js";

describe("a call with a fresh token", () => {
  it("R8 touches no lock, storage, timer or channel, whatever it is asked for", async () => {
    const stage = scene();
    const { environment } = stage.world.tab("counted");
    const touched: string[] = [];
    const counted =
      <A extends unknown[], R>(name: string, call: (...args: A) => R) =>
      (...args: A): R => {
        touched.push(name);
        return call(...args);
      };
    const session = createSession({
      name: "app",
      allowedOrigins: ["https://api.example.test"],
      refresh: () => "never",
      environment: {
        ...environment,
        fetch: async () => new Response("{}"),
        setTimeout: counted("setTimeout", environment.setTimeout),
        clearTimeout: counted("clearTimeout", environment.clearTimeout),
        locks: environment.locks && {
          request: counted("lock", environment.locks.request.bind(environment.locks)) as LockManager["request"],
        },
        openChannel: (name) => {
          const channel = environment.openChannel!(name);
          channel.postMessage = counted("message", channel.postMessage.bind(channel));
          return channel;
        },
        openStore: (name) => {
          const store = environment.openStore!(name);
          return { ...store, transact: counted("storage", store.transact), read: counted("storage", store.read) };
        },
      },
    });
    await stage.clock.until(session.ready);
    await stage.clock.until(session.signIn({ accessToken: "fresh", refreshToken: "r", expiresIn: HOUR / 1000 }));
    await stage.clock.settle();
    expect(new Set(touched)).toContain("storage");

    touched.length = 0;
    const url = "https://api.example.test/me";
    await session.fetch(url);
    await session.fetch(new URL(url), { headers: { accept: "application/json" } });
    await session.fetch(new Request(url, { method: "POST", body: "{}" }));
    expect([await session.getToken(), session.peekToken()]).toEqual(["fresh", "fresh"]);
    expect(touched).toEqual([]);
    session.dispose();
  });
});
