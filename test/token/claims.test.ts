import { describe, expect, it } from "vitest";
import { makeJwt } from "../../src/testing/jwt.js";
import { differentParty, differs, readClaims, same, settleClaims } from "../../src/token/claims.js";

describe("reading claims", () => {
  it("reads a JWT", () => {
    expect(readClaims(makeJwt({ sub: "ada", name: "Ada Lovelace 🧮" }))).toEqual({ sub: "ada", name: "Ada Lovelace 🧮" });
  });

  it.each([
    undefined,
    "",
    "opaque",
    "a.b",
    "a.b.c",
    "..",
    `a.${Buffer.from("7").toString("base64url")}.c`,
    `a.${Buffer.from("null").toString("base64url")}.c`,
  ])("R17 takes %s for opaque, without an error", (token) => {
    expect(readClaims(token)).toBeNull();
  });

  const news = (before: Record<string, unknown> | null, after: Record<string, unknown> | null) =>
    differs(before, settleClaims(before, after));

  it("R37 finds in claims that say the same no news", () => {
    expect(news({ sub: "a" }, { sub: "a" })).toBe(false);
    expect(news({ sub: "a", roles: ["x"] }, { sub: "a", roles: ["y"] })).toBe(true);
    expect(news({ sub: "a" }, { sub: "a", roles: [] })).toBe(true);
    expect(news({ sub: "a", roles: [] }, { sub: "a" })).toBe(true);
    expect(news(null, null)).toBe(false);
    expect(news(null, { sub: "a" })).toBe(true);
    expect(news({ sub: "a" }, null)).toBe(true);
  });

  it.each([
    [["x", "y"], ["y", "x"], true],
    [["x", "x", "y"], ["y", "x"], false],
    [[["x"], "y"], [["x", "y"]], false],
    [{ a: 1, b: [2, 3] }, { b: [3, 2], a: 1 }, true],
    [[{ a: 1, b: 2 }, "z"], ["z", { b: 2, a: 1 }], true],
    [{ a: { b: 1 } }, { a: { b: 2 } }, false],
    [{ 'a":': 1 }, { a: 1 }, false],
    [["a,b"], ["a", "b"], false],
    [{}, [], false],
    [null, {}, false],
    [42, "42", true],
    [42, 43, false],
    ["", null, false],
    ["null", null, false],
    ["true", true, false],
    ["undefined", undefined, false],
    [undefined, null, false],
  ])("R67 of %j and %j, the answer to whether they say the same is %s", (one, other, expected) => {
    expect([same(one, other), same(other, one)]).toEqual([expected, expected]);
  });

  it("R67 keeps the values, and the object, of claims that say the same", () => {
    const before = { sub: "a", roles: ["x", "y"], address: { town: "b", zip: 1 } };
    const after = settleClaims(before, { address: { zip: 1, town: "b" }, roles: ["y", "x"], sub: "a" });
    expect(after).toBe(before);
    const later = settleClaims(before, { sub: "a", roles: ["y", "x"], address: { town: "c" } });
    expect([later?.roles === before.roles, later?.address, Object.isFrozen(later)]).toEqual([true, { town: "c" }, true]);
  });

  it("R66 R67 compares what is hostile in no more time than reading it takes", () => {
    const deep = (depth: number, core: string) => JSON.parse(`${"[".repeat(depth)}${core}${"]".repeat(depth)}`) as unknown;
    const before = process.cpuUsage();
    same(deep(3_000, "1"), deep(3_000, "2"));
    same(deep(30, '"\\""'), deep(30, '"\\" "'));
    same(Array(200_000).fill({ a: 1 }), Array(200_000).fill({ a: 2 }));
    // The time that other processes take on a busy machine is not in it.
    expect(process.cpuUsage(before).user).toBeLessThan(3_000_000);
  });

  it.each([2_500, 9_000])("R66 reads claims that are nested %d deep", (depth) => {
    const token = `e30.${btoa(`{"sub":"ada","x":${"[".repeat(depth)}${"]".repeat(depth)}}`)}.x`;
    const atDepth = (left: number): unknown => (left ? atDepth(left - 1) : readClaims(token)?.sub);
    expect(atDepth(2_000)).toBe("ada");
  });

  type Said = Record<string, unknown> | undefined;
  const kinds = ["accessToken", "idToken"] as const;
  const isOther = (one: Said, other: Said, [kind, latter = kind] = [kinds[0]] as readonly (typeof kinds)[number][]) =>
    differentParty(one && { [kind as string]: makeJwt(one) }, other && { [latter as string]: makeJwt(other) });

  it.each(kinds)("R44 tells another subject or client apart, where both are named: %s", (kind) => {
    expect(isOther({ sub: "a" }, { sub: "b" }, [kind])).toBe(true);
    expect(isOther({ sub: "a", client_id: "x" }, { sub: "a", client_id: "y" }, [kind])).toBe(true);
    expect(isOther({ sub: "a" }, { sub: "a" }, [kind])).toBe(false);
    expect(isOther({ sub: "a" }, {}, [kind])).toBe(false);
    expect(isOther({ sub: "a" }, { sub: null }, [kind])).toBe(false);
    expect(isOther(undefined, { sub: "a" }, [kind])).toBe(false);
  });

  it("R44 compares no access token with an id token, whose subject may be of the client alone", () => {
    expect(isOther({ sub: "a" }, { sub: "b" }, ["accessToken", "idToken"])).toBe(false);
    expect(isOther({ sub: "a" }, { sub: "b" }, ["idToken", "accessToken"])).toBe(false);
  });

  it("R66 has a number beyond 2^53 for the text of it", () => {
    const token = (sub: string) => ({ accessToken: `e30.${btoa(`{"sub":${sub}}`)}.x` });
    expect(differentParty(token("1234567890123456789"), token('"1234567890123456789"'))).toBe(false);
    expect(differentParty(token('"1234567890123456788"'), token('"1234567890123456789"'))).toBe(true);
    expect(differentParty(token("1234567890123456789"), token('"1234567890123450000"'))).toBe(true);
  });

  it.each(["sub", "client_id", "azp"])("R66 compares %s by what it says", (name) => {
    expect(isOther({ [name]: 42 }, { [name]: "42" })).toBe(false);
    expect(isOther({ [name]: { id: 1, tenant: "t" } }, { [name]: { tenant: "t", id: "1" } })).toBe(false);
    expect(isOther({ [name]: { id: 1 } }, { [name]: { id: 2 } })).toBe(true);
    expect(isOther({ [name]: 42 }, { [name]: 43 })).toBe(true);
  });
});
