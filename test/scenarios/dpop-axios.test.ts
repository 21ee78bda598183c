import axios from "axios";
import { describe, expect, it } from "vitest";
import { attachSession } from "../../src/axios.js";
import { createSession, dpop } from "../../src/index.js";
import { API } from "../../src/testing/token-server.js";
import { World } from "../../src/testing/world.js";
import { boundScene } from "../support/bound.js";
import { SECOND } from "../support/scene.js";

describe("real WebCrypto", () => {
  it("an ECDH key pair is refused at signIn, and not at each call", async () => {
    const pair = (await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"])) as CryptoKeyPair;
    const world = new World({ instant: true } as never);
    const session = createSession({
      name: "r",
      refresh: () => "t",
      allowedOrigins: [API],
      dpop: dpop(),
      environment: { ...world.tab().environment, crypto },
    });
    const error = await world.clock.until(
      session.signIn({ accessToken: "abc", tokenType: "DPoP", dpopKeyPair: pair } as never).then(
        () => undefined,
        (e: unknown) => e,
      ),
    );
    const called = error
      ? undefined
      : await session.fetch(`${API}/me`).then(
          (r) => r.status,
          (e) => `${e.name}: ${e.message}`,
        );
    session.dispose();
    expect([error instanceof TypeError, called]).toEqual([true, undefined]);
  });
});

describe("axios with attachSession", () => {
  it("a PATCH reaches an API that compares htm with the method", async () => {
    const { stage, open, signIn } = boundScene();
    const app = await open();
    await signIn(app);
    const strict: typeof fetch = async (input, init) => {
      const request = new Request(input as Request, init);
      const { htm } = JSON.parse(Buffer.from(request.headers.get("dpop")!.split(".")[1]!, "base64url").toString());
      const good = htm === request.method;
      return new Response("{}", {
        status: good ? 200 : 401,
        headers: good ? {} : { "www-authenticate": 'DPoP error="invalid_dpop_proof"' },
      });
    };
    const client = axios.create({ baseURL: API, adapter: "fetch", env: { fetch: strict } as never, validateStatus: () => true });
    attachSession(client, app.session);
    const [put, patch] = [await stage.clock.until(client.put("/me", { a: 1 })), await stage.clock.until(client.patch("/me", { a: 1 }))];
    await stage.clock.advance(SECOND);
    expect([put.status, patch.status]).toEqual([200, 200]);
  });
});
