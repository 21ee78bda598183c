import { describe, expect, it } from "vitest";
import { byCode } from "../../src/http/by-code.js";

const request = new Request("https://api.example.test/");
const json = (status: number, value: unknown, headers = {}) => new Response(JSON.stringify(value), { status, headers });

describe("byCode", () => {
  const classify = byCode({ refresh: ["EXPIRED_TOKEN", 4011], signOut: ["INVALID_TOKEN"] });

  it.each([
    ["401 EXPIRED_TOKEN", json(401, { code: "EXPIRED_TOKEN" }), "refresh"],
    ["403 EXPIRED_TOKEN", json(403, { code: "EXPIRED_TOKEN" }), "refresh"],
    ["a code that is a number", json(403, { code: 4011 }), "refresh"],
    ["401 INVALID_TOKEN", json(401, { code: "INVALID_TOKEN" }), "sign-out"],
    ["a code of another matter", json(401, { code: "NO_SUBSCRIPTION" }), "ok"],
    ["401 without a code", json(401, {}), "refresh"],
    ["401 without a body", new Response(null, { status: 401 }), "refresh"],
    ["403 without a code", json(403, {}), "ok"],
    ["403 that is HTML", new Response("<h1>", { status: 403 }), "ok"],
    ["null", json(401, null), "refresh"],
    ["a 200 that happens to have it", json(200, { code: "EXPIRED_TOKEN" }), "ok"],
  ])("takes %s for what it is", async (_, response, verdict) => {
    expect(await classify({ response, request })).toBe(verdict);
  });

  it("reads a path, or a header before the body", async () => {
    const response = () => json(401, { error: { code: "A" } }, { "x-code": "B" });
    expect(await byCode({ refresh: [], signOut: ["A"], field: "error.code" })({ response: response(), request })).toBe("sign-out");
    expect(await byCode({ refresh: ["B"], signOut: ["A"], header: "x-code" })({ response: response(), request })).toBe("refresh");
    expect(await byCode({ refresh: ["B"] })({ error: new TypeError("Failed to fetch"), request })).toBe("ok");
  });

  describe("R81 reads the error of a WWW-Authenticate challenge", () => {
    const verdict = async (challenge: string, status = 401, body: unknown = {}) => {
      const classify = byCode({ refresh: ["invalid_token"], signOut: ["session_ended", 'a "b", c'], header: "WWW-Authenticate" });
      return classify({ response: json(status, body, { "www-authenticate": challenge }), request });
    };

    it.each([
      ['Bearer error="invalid_token"', "refresh"],
      ['Bearer realm="api", error="invalid_token", error_description="The token expired"', "refresh"],
      ['bearer error="invalid_token"', "refresh"],
      ['BEARER ERROR = "invalid_token"', "refresh"],
      ["Bearer error=invalid_token", "refresh"],
      ['Bearer error="session_ended"', "sign-out"],
      ['Bearer error="insufficient_scope"', "ok"],
      ['Bearer error="a \\"b\\", c"', "sign-out"],
      ['Bearer realm="say \\"error=\\"x\\"\\", Basic", error="invalid_token"', "refresh"],
      ['Bearer xerror="session_ended", error_uri="session_ended", x.error="session_ended", error="invalid_token"', "refresh"],
      ['Basic realm="a, b", Bearer error="invalid_token"', "refresh"],
      ['Bearer error="invalid_token", Basic realm="x", error="session_ended"', "refresh"],
      ['Digest error="session_ended", qop="auth", Bearer realm="x", error="invalid_token"', "refresh"],
      ['Negotiate YIIB/a+c==, Bearer error="invalid_token"', "refresh"],
      ['Negotiate, NTLM, Bearer error="invalid_token"', "refresh"],
      ['Bearer realm="a", Bearer realm="b", error="invalid_token"', "refresh"],
      [', Bearer realm="", error="invalid_token",', "refresh"],
    ])("%s", async (challenge, expected) => {
      expect(await verdict(challenge)).toBe(expected);
    });

    it("and only of a Bearer challenge; without one, it is the body's code, or the status", async () => {
      for (const challenge of [
        "Bearer",
        'Bearer realm="api"',
        'Basic error="session_ended"',
        'Bearer error="',
        '=,="',
        'XBearer error="session_ended"',
      ]) {
        expect(await verdict(challenge)).toBe("refresh");
        expect(await verdict(challenge, 403)).toBe("ok");
        expect(await verdict(challenge, 403, { code: "session_ended" })).toBe("sign-out");
      }
    });

    it("in no time, however long it is", async () => {
      const started = performance.now();
      for (const long of [
        "a=".repeat(30_000),
        '"'.repeat(60_001),
        " ".repeat(60_000),
        `Bearer a="${"\\".repeat(60_001)}`,
        "a \t".repeat(20_000),
        `a${" ".repeat(60_000)}=`,
      ])
        await verdict(long);
      expect(performance.now() - started).toBeLessThan(1_000);
    });
  });

  it("names a wrong option", () => {
    expect(() => byCode({ refresh: "EXPIRED_TOKEN" as never })).toThrow(/byCode: refresh and signOut must be arrays/);
  });
});
