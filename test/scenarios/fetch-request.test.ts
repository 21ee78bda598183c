import { describe, expect, it } from "vitest";
import { json } from "../../src/testing/reply.js";
import { API } from "../../src/testing/token-server.js";
import { SECOND, scene } from "../support/scene.js";

const text = (body: Uint8Array | undefined) => new TextDecoder().decode(body);

describe("bodies", () => {
  const form = () => {
    const data = new FormData();
    data.append("name", "Ada");
    data.append("file", new Blob(["\u0000\u0001binary"], { type: "application/octet-stream" }), "a.bin");
    return data;
  };
  const bodies: Record<string, () => BodyInit> = {
    "JSON text": () => JSON.stringify({ a: "ü" }),
    FormData: form,
    Blob: () => new Blob(["blob ✓"], { type: "text/plain" }),
    URLSearchParams: () => new URLSearchParams({ a: "1 2", b: "&" }),
    Uint8Array: () => new Uint8Array([0, 1, 2, 255]),
    ArrayBuffer: () => new Uint8Array([9, 8, 7]).buffer,
  };

  it.each(Object.entries(bodies))("R31 %s is replayed byte for byte after a 401", async (_, make) => {
    const stage = scene({ http: true });
    const app = await stage.signedIn();
    stage.server.grants.expireAccessTokens();
    expect(await stage.call(app, "/things", { method: "POST", body: make() })).toBe(200);
    const [first, second] = stage.server.apiCalls;
    expect(stage.server.apiCalls).toHaveLength(2);
    expect(first?.body.length).toBeGreaterThan(2);
    // The boundary of a form is drawn anew for each send; what is between is the same.
    const comparable = (call: typeof first) => {
      const boundary = /boundary=(.*)$/.exec(call?.headers["content-type"] ?? "")?.[1];
      return boundary ? text(call?.body).replaceAll(boundary, "BOUNDARY") : [...(call?.body ?? [])].join();
    };
    expect(comparable(second)).toBe(comparable(first));
  });

  it("R31 X12 a Request with a body is resent whole, with its method and headers", async () => {
    const stage = scene({ http: true });
    const app = await stage.signedIn();
    stage.server.grants.expireAccessTokens();
    const request = new Request(`${API}/things`, {
      method: "PUT",
      body: "whole body",
      headers: { "x-a": "1", "content-type": "text/plain" },
    });
    expect((await stage.clock.until(app.session.fetch(request))).status).toBe(200);
    expect(stage.server.apiCalls.map((call) => [call.method, text(call.body), call.headers["x-a"], call.headers["content-type"]])).toEqual([
      ["PUT", "whole body", "1", "text/plain"],
      ["PUT", "whole body", "1", "text/plain"],
    ]);
  });

  it("R31 a Request with a body is resent in a browser that does not show the body of a Request", async () => {
    class FirefoxRequest extends Request {
      override get body() {
        return undefined as never;
      }
      override clone() {
        return Object.setPrototypeOf(super.clone(), FirefoxRequest.prototype);
      }
    }
    const stage = scene({ http: true });
    const app = await stage.signedIn();
    stage.server.grants.expireAccessTokens();
    const request = new FirefoxRequest(`${API}/things`, { method: "POST", body: "whole body" });
    expect((await stage.clock.until(app.session.fetch(request))).status).toBe(200);
    expect(stage.server.apiCalls.map(({ body }) => text(body))).toEqual(["whole body", "whole body"]);
  });

  it.each([false, true])(
    "R31 a one-shot stream returns the original 401 after refreshing, and hangs nowhere (in a Request: %s)",
    async (inRequest) => {
      const stage = scene({ http: true });
      const app = await stage.signedIn();
      stage.server.grants.expireAccessTokens();
      const stream = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(new TextEncoder().encode("once"));
          controller.close();
        },
      });
      const init = { method: "POST", body: stream, duplex: "half" } as RequestInit;
      const sent = inRequest ? app.session.fetch(new Request(`${API}/things`, init)) : app.session.fetch(`${API}/things`, init);
      const response = await stage.clock.until(sent, 30_000);
      // A Request cannot tell what its body was made of, so that it may be resent; a bare stream cannot be.
      if (inRequest) expect([200, 401]).toContain(response.status);
      else expect([response.status, stage.server.apiCalls.length]).toEqual([401, 1]);
      expect(text(stage.server.apiCalls[0]?.body)).toBe("once");
      await stage.clock.advance(SECOND);
      expect(stage.server.stats.refreshes).toBe(1);
    },
  );

  it("R31 an init that overrides a Request is honoured, as fetch does it", async () => {
    const stage = scene({ http: true });
    const app = await stage.signedIn();
    const request = new Request(`${API}/things`, { method: "POST", body: "one", headers: { "x-a": "1" } });
    await stage.clock.until(app.session.fetch(request, { method: "PUT", body: "two", headers: { "x-b": "2" } }));
    const [call] = stage.server.apiCalls;
    expect([call?.method, text(call?.body), call?.headers["x-a"], call?.headers["x-b"], call?.bearer]).toEqual([
      "PUT",
      "two",
      undefined,
      "2",
      1,
    ]);
  });
});

describe("origins", () => {
  const strangers = [
    "https://api.example.test.evil.test/me",
    "https://api.example.test:8443/me",
    "http://api.example.test/me",
    "https://evil.test/?https://api.example.test",
    "https://api.example.test@evil.test/me",
    "https://xapi.example.test/me",
    "https://example.test/me",
  ];
  it.each(strangers)("R32 X10 nothing is attached for %s", async (url) => {
    const stage = scene({ http: true });
    const app = await stage.signedIn();
    stage.server.apiAnswer = () => json(401, {});
    // A fetch with a user name in its URL is refused by fetch itself.
    const outcome = await stage.clock.until(
      app.session.fetch(url).then(
        ({ status }) => status,
        () => "refused",
      ),
    );
    expect(["refused", 401]).toContain(outcome);
    expect(stage.server.apiCalls.every(({ bearer }) => bearer === "none")).toBe(true);
    expect(stage.server.stats.attempts).toBe(0);
  });

  it.each(["https://api.example.test", "https://API.example.test/", "https://api.example.test:443/"])(
    "R32 the list is compared parsed: %s",
    async (origin) => {
      const stage = scene({ session: { allowedOrigins: [origin] } });
      const app = await stage.signedIn();
      expect(await stage.call(app, "/me")).toBe(200);
      expect((await stage.clock.until(app.session.fetch("https://api.example.test:443/me"))).status).toBe(200);
    },
  );

  it.each(["capacitor://localhost", "chrome-extension://abcdef"])(
    "R76 a page of %s sends the bearer where it is told to only",
    async (origin) => {
      const stage = scene({ world: { origin } });
      const app = await stage.signedIn({ allowedOrigins: undefined as never });
      expect(await stage.call(app)).toBe(401);
      const named = await stage.open();
      expect(await stage.call(named)).toBe(200);
    },
  );

  it("R32 the default is the page's own origin, relative addresses included", async () => {
    const stage = scene();
    const app = await stage.signedIn({ allowedOrigins: undefined as never });
    await stage.clock.until(app.session.fetch("/own"));
    await stage.clock.until(app.session.fetch(`${API}/me`));
    expect(stage.server.apiCalls.map(({ bearer }) => bearer)).toEqual([1, "none"]);
  });

  it("R32 in Node there is no default", async () => {
    const stage = scene({ world: { origin: undefined } });
    const app = await stage.signedIn({ allowedOrigins: undefined as never });
    await stage.call(app);
    expect(stage.server.apiCalls.map(({ bearer }) => bearer)).toEqual(["none"]);
  });
});
