import { describe, expect, it } from "vitest";
import { authorizedFetch } from "../../src/http/authorized-fetch.js";
import type { Effort } from "../../src/http/call.js";
import { json, type Reply } from "../../src/testing/reply.js";
import { World } from "../../src/testing/world.js";
import type { SessionOptions } from "../../src/types/index.js";

const API = "https://api.example.test";

/** A wrapper on its own: what the session gives it, and what the network sees. */
function setUp({
  token = "old" as string | null,
  next = "new" as string | null,
  renews = true,
  server = (() => json(200, {})) as (request: Request) => Reply,
  changes = (_headers: Headers) => {},
  classify = undefined as SessionOptions["classify"],
} = {}) {
  const requests: { url: string; authorization: string | null; body: string }[] = [];
  const asked: string[] = [];
  const world = new World({
    server: async (request) => {
      requests.push({ url: request.url, authorization: request.headers.get("authorization"), body: await request.clone().text() });
      return server(request);
    },
  });
  const fetched: unknown[][] = [];
  const { environment: page } = world.tab();
  const environment = {
    ...page,
    fetch: (input: RequestInfo | URL, init?: RequestInit) => {
      fetched.push([input, init && { ...init, headers: new Headers(init.headers) }]);
      if (init?.headers instanceof Headers) changes(init.headers);
      return page.fetch(input, init);
    },
  };
  const bearer = {
    peek: () => (token === null ? null : { token }),
    wait: async () => {
      asked.push("wait");
      return null;
    },
    replace: async (refused: { token: string }, effort: Effort) => {
      asked.push(`replace ${refused.token}`);
      if (renews) effort.renewal = 1;
      return next === null ? null : { token: next };
    },
    paced: () => false,
    judged: (_sent: unknown, _effort: unknown, accepts: boolean) => void asked.push(accepts ? "accepted" : "refused"),
    isOfFormerUser: () => false,
    end: () => void asked.push("end"),
  };
  const report = { warnOnce: (problem: string) => void asked.push(problem), debug: () => {}, flush: () => {} };
  const options = { environment, allowedOrigins: new Set([API]), refreshTimeout: 10_000, classify, report };
  const fetch = authorizedFetch(bearer, options, environment.fetch);
  return { world, fetch, requests, asked, fetched };
}

const unauthorized = () => json(401, {});

describe("the wrapper", () => {
  it("R8 on the fast path builds no Request, and hands the caller's address and body on as they are", async () => {
    const { world, fetch, fetched } = setUp();
    const [address, body] = [`${API}/a`, new Blob(["x"])];
    await world.clock.until(fetch(address, { method: "POST", body }));
    expect(fetched[0]?.[0]).toBe(address);
    expect(fetched[0]?.[1]).toHaveProperty("body", body);
  });

  it("does not change the init of the caller", async () => {
    const { world, fetch } = setUp();
    const headers = { accept: "text/plain" };
    const init = { headers };
    await world.clock.until(fetch(`${API}/a`, init));
    expect([init, headers]).toEqual([{ headers: { accept: "text/plain" } }, { accept: "text/plain" }]);
  });

  it("F32 sends the bearer in one way: `Bearer` and the token", async () => {
    const { world, fetch, requests } = setUp();
    for (const headers of [undefined, { "x-a": "1" }, new Headers({ "x-a": "1" }), [["x-a", "1"]] as [string, string][]]) {
      await world.clock.until(fetch(`${API}/a`, headers ? { headers } : undefined));
    }
    expect(requests.map(({ authorization }) => authorization)).toEqual(["Bearer old", "Bearer old", "Bearer old", "Bearer old"]);
  });

  it("R32 touches nothing for an origin that is not on the list", async () => {
    const { world, fetch, requests, asked } = setUp({ server: unauthorized });
    const response = await world.clock.until(fetch("https://api.example.test.evil.test/a"));
    expect([response.status, requests.map(({ authorization }) => authorization), asked]).toEqual([401, [null], []]);
  });

  it("R27 resends once, with what `replace` gave", async () => {
    const { world, fetch, requests, asked } = setUp({ server: unauthorized });
    expect((await world.clock.until(fetch(`${API}/a`, { method: "POST", body: "x" }))).status).toBe(401);
    expect(requests.map(({ authorization, body }) => [authorization, body])).toEqual([
      ["Bearer old", "x"],
      ["Bearer new", "x"],
    ]);
    expect(asked).toEqual(["replace old", "refused"]);
  });

  const sentHeaders = (fetched: unknown[][]) => fetched.map(([, init]) => Object.fromEntries((init as { headers: Headers }).headers));

  it("R27 resends the headers of the call, whatever the transport did to those that it got", async () => {
    const { world, fetch, fetched } = setUp({ server: unauthorized, changes: (headers) => headers.delete("x-a") });
    await world.clock.until(fetch(`${API}/a`, { headers: { "x-a": "1" } }));
    expect(sentHeaders(fetched)).toEqual([
      { "x-a": "1", authorization: "Bearer old" },
      { "x-a": "1", authorization: "Bearer new" },
    ]);
  });

  it("R27 resends no refused bearer where the next token is in a cookie", async () => {
    const { world, fetch, fetched } = setUp({ server: unauthorized, next: "" });
    await world.clock.until(fetch(`${API}/a`, { headers: { "x-a": "1" } }));
    expect(sentHeaders(fetched)).toEqual([{ "x-a": "1", authorization: "Bearer old" }, { "x-a": "1" }]);
  });

  it("R32 R46 hands an absolute address on as it was written, whether it has seen the authority before or not", async () => {
    const { world, fetch, fetched } = setUp();
    const address = "https://API.example.test:443/a/../b c";
    for (const _ of "12") await world.clock.until(fetch(address));
    expect(fetched.map(([input]) => input)).toEqual([address, address]);
  });

  it.each([
    ["an address", `${API}/a`, { headers: { "x-a": "1" } }],
    ["a Request", new Request(`${API}/a`, { headers: { "x-a": "1" } }), undefined],
  ])("shows `classify` no token of a call with %s", async (_, input, init) => {
    const seen: [string, string | null][] = [];
    const { world, fetch } = setUp({
      server: unauthorized,
      classify: ({ request }) => {
        for (const header of request.headers) seen.push(header);
        return "refresh";
      },
    });
    await world.clock.until(fetch(input, init));
    expect(seen).toEqual([
      ["x-a", "1"],
      ["x-a", "1"],
    ]);
  });

  it("R48 resends once more where the other token was there already, and was refused, too", async () => {
    const { world, fetch, requests, asked } = setUp({ server: unauthorized, renews: false });
    expect((await world.clock.until(fetch(new Request(`${API}/a`, { method: "POST", body: "x" })))).status).toBe(401);
    expect(requests.map(({ authorization, body }) => [authorization, body])).toEqual([
      ["Bearer old", "x"],
      ["Bearer new", "x"],
      ["Bearer new", "x"],
    ]);
    expect(asked).toEqual(["replace old", "replace new", "refused"]);
  });

  it("R27 passes the 401 through, readable, when there is no other token", async () => {
    const { world, fetch, requests } = setUp({ next: null, server: () => json(401, { why: "revoked" }) });
    const response = await world.clock.until(fetch(`${API}/a`));
    expect([await response.json(), requests.length]).toEqual([{ why: "revoked" }, 1]);
  });

  it("F5 sends without a bearer when there is no session", async () => {
    const { world, fetch, requests, asked } = setUp({ token: null, server: unauthorized });
    expect((await world.clock.until(fetch(`${API}/a`))).status).toBe(401);
    expect([requests.map(({ authorization }) => authorization), asked]).toEqual([[null], ["wait"]]);
  });

  it("F15 rejects as fetch does, with the same error", async () => {
    const { world, fetch } = setUp({ server: () => "lost" });
    await expect(world.clock.until(fetch(`${API}/a`))).rejects.toThrow(TypeError);
    await expect(world.clock.until(fetch("http://["))).rejects.toThrow(TypeError);
  });
});
