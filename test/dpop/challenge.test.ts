import { describe, expect, it } from "vitest";
import { challengeOfApi, challengeOfServer, nonceIn } from "../../src/dpop/challenge.js";

const answer = (status: number, headers: Record<string, string> = {}, body: string | null = null) =>
  new Response(body, { status, headers });

describe("what an API's 401 asks for (RFC 9449 §9)", () => {
  const asks = (challenge: string, sent?: string) =>
    challengeOfApi(answer(401, { "www-authenticate": challenge, "dpop-nonce": "n2" }), sent);

  it.each([
    ['DPoP error="use_dpop_nonce", error_description="x"', "use_dpop_nonce"],
    ["dpop error=use_dpop_nonce", "use_dpop_nonce"],
    ['Bearer realm="a", DPoP algs="ES256", error="invalid_dpop_proof"', "invalid_dpop_proof"],
    ['DPoP error="invalid_token"', undefined],
    ['Bearer error="use_dpop_nonce"', undefined],
    ["DPoP", undefined],
    ["", undefined],
  ])("%s: %s", (header, challenge) => {
    expect(asks(header)).toBe(challenge);
  });

  it("is a nonce where script cannot read the challenge, and the nonce is another one", () => {
    const hidden = answer(401, { "dpop-nonce": "n2" });
    expect([challengeOfApi(hidden, "n1"), challengeOfApi(hidden, undefined), challengeOfApi(hidden, "n2")]).toEqual([
      "use_dpop_nonce",
      "use_dpop_nonce",
      undefined,
    ]);
    expect(challengeOfApi(answer(401), undefined)).toBeUndefined();
  });

  it("is nothing with another status, or with an object that only looks like a response", () => {
    const header = { "www-authenticate": 'DPoP error="use_dpop_nonce"' };
    expect([200, 400, 403].map((status) => challengeOfApi(answer(status, header), undefined))).toEqual([undefined, undefined, undefined]);
    expect(challengeOfApi({ status: 401 } as Response, undefined)).toBeUndefined();
  });
});

describe("what an authorization server asks for (RFC 9449 §8)", () => {
  it.each([
    [400, '{"error":"use_dpop_nonce"}', "use_dpop_nonce"],
    [401, '{"error":"invalid_dpop_proof"}', "invalid_dpop_proof"],
    [403, '{"error":"invalid_dpop_proof"}', "invalid_dpop_proof"],
    [400, '{"error":"invalid_grant"}', undefined],
    [200, '{"error":"use_dpop_nonce"}', undefined],
    [500, '{"error":"use_dpop_nonce"}', undefined],
    [400, "null", undefined],
    [400, "<html>", undefined],
  ])("%d %s: %s", async (status, body, challenge) => {
    const response = answer(status, {}, body);
    expect(await challengeOfServer(response)).toBe(challenge);
    expect(await response.text(), "the strategy reads it, too").toBe(body);
  });
});

describe("a nonce", () => {
  it("is taken from any status", () => {
    expect([200, 401].map((status) => nonceIn(answer(status, { "dpop-nonce": "n" })))).toEqual(["n", "n"]);
  });

  it.each([
    ["a quote", 'a"b'],
    ["a space", "a b"],
    ["too many characters", "n".repeat(1_001)],
    ["nothing", ""],
  ])("is none with %s", (_, nonce) => {
    expect(nonceIn(answer(200, { "dpop-nonce": nonce }))).toBeUndefined();
  });
});
