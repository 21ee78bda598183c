import { createHash } from "node:crypto";
import axios from "axios";
import { describe, expect, it } from "vitest";
import { attachSession, throughSession } from "../../src/axios.js";
import { memory } from "../../src/index.js";
import { API } from "../../src/testing/token-server.js";
import { boundScene, idOf } from "../support/bound.js";
import { HOUR, SECOND } from "../support/scene.js";

describe("axios", () => {
  for (const way of ["attach", "through"])
    it.each(["get", "post", "put", "patch", "delete", "head", "options", "query"])(
      `${way}: the proof of %s is for the method that is sent`,
      async (method) => {
        const { stage, open, signIn, judged } = boundScene();
        const app = await open();
        await signIn(app);
        const sent: string[] = [];
        const network: typeof fetch = (input, init) => {
          sent.push(new Request(input as Request, init).method);
          return app.tab.environment.fetch(input, init);
        };
        const client =
          way === "through"
            ? axios.create({ baseURL: API, ...throughSession({ fetch: app.session.wrap(network) }) })
            : axios.create({ baseURL: API, adapter: "fetch", env: { fetch: network } as never });
        if (way === "attach") attachSession(client, app.session);
        await stage.clock.until(client.request({ url: "/me", method, validateStatus: () => true }));
        expect(judged.at(-1)?.proof?.htm).toBe(sent[0]);
      },
    );

  it("attach: an error has neither the token nor the proof", async () => {
    const { stage, open, signIn, servers, judged } = boundScene();
    const app = await open();
    await signIn(app);
    servers.instead = (url) => (url.endsWith("/me") ? { status: 500, body: "{}" } : undefined);
    const client = axios.create({ baseURL: API, adapter: "fetch", env: { fetch: app.tab.environment.fetch } as never });
    attachSession(client, app.session);
    const error: unknown = await stage.clock.until(client.get("/me").catch((e) => e));
    const seen = new Set<unknown>();
    const texts: string[] = [];
    const walk = (value: unknown): void => {
      if (typeof value === "string") texts.push(value);
      if (!value || typeof value !== "object" || seen.has(value)) return;
      seen.add(value);
      if (value instanceof Headers) for (const [, v] of value) texts.push(v);
      if (value instanceof Request) for (const [, v] of value.headers) texts.push(v);
      for (const name of Reflect.ownKeys(value)) walk((value as Record<string | symbol, unknown>)[name]);
    };
    walk(error);
    expect(texts.filter((text) => text.includes(app.bare.peekToken()!) || /^eyJ0eXAiOiJkcG9w/.test(text))).toEqual([]);
    expect(judged.length).toBe(1);
  });
});

describe("memory({ shareAccessToken: false })", () => {
  it("posts neither token nor key", async () => {
    const { stage, open, signIn } = boundScene({ session: { persist: memory({ shareAccessToken: false }) } });
    const app = await open();
    await signIn(app);
    await open();
    await stage.clock.advance(3 * HOUR);
    expect(JSON.stringify(stage.world.channels.posted)).not.toMatch(/keyPair|pendingKey/);
  });
});

describe("two tabs, one with a stale memory of a login's key", () => {
  it("signIn() in the tab takes the key with which the login was made, if another tab's login has taken the stale one", async () => {
    const { stage, open, signIn, bind } = boundScene();
    const [tab, other, popup] = [await open(), await open(), await open()];
    await stage.clock.until(tab.proofs.keyPair()); // K1, prepared ahead
    await signIn(other, "ada"); // takes K1
    await stage.clock.until(other.session.signOut());
    await stage.clock.advance(SECOND);
    const second = idOf(await stage.clock.until(popup.proofs.keyPair())); // K2: the key of the login that follows
    // The token names its key (RFC 9449 §6.1).
    const jwk = JSON.stringify({ crv: "P-256", kty: "EC", x: second, y: second });
    const cnf = { jkt: createHash("sha256").update(jwk).digest("base64url") };
    const tokens = bind(stage.server.signIn("grace", { cnf }), second);
    await stage.clock.until(tab.session.signIn(tokens)); // the popup handed its tokens to its opener
    await stage.clock.advance(SECOND);
    expect([await stage.call(tab), await stage.outcome(tab.session.refresh(), 60_000)]).toEqual([200, "refreshed"]);
  });
});
