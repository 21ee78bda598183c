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

  it("names a wrong option", () => {
    expect(() => byCode({ refresh: "EXPIRED_TOKEN" as never })).toThrow(/byCode: refresh and signOut must be arrays/);
  });
});
