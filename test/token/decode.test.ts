import { describe, expect, it } from "vitest";
import { SessionError } from "../../src/errors.js";
import { makeJwt } from "../../src/testing/jwt.js";
import { differentParty, parseTokens, readClaims, sameClaims } from "../../src/token/decode.js";
import { expectNoSecret } from "../support/secrets.js";

function refusal(input: unknown): SessionError {
  try {
    parseTokens(input);
  } catch (error) {
    if (error instanceof SessionError) return error;
  }
  throw new Error("was not refused");
}

describe("parsing what a login handed over", () => {
  it("reads a response as RFC 6749 §5.1 has it, and ignores other members", () => {
    const response = {
      access_token: "a",
      refresh_token: "r",
      id_token: "i",
      expires_in: 60,
      token_type: "Bearer",
      scope: "x",
      session_state: 7,
    };
    expect(parseTokens(response)).toEqual({ accessToken: "a", refreshToken: "r", idToken: "i", expiresIn: 60, scope: "x" });
  });

  it("reads a TokenSet, and J13 a bare string as the access token", () => {
    expect(parseTokens({ accessToken: "a", expiresIn: 5 })).toMatchObject({ accessToken: "a", expiresIn: 5 });
    expect(parseTokens("a")).toMatchObject({ accessToken: "a", refreshToken: undefined, expiresIn: undefined });
  });

  it.each([
    ["60", 60],
    [60.5, 60.5],
    ["soon", undefined],
    [0, undefined],
    [-1, undefined],
    [Number.POSITIVE_INFINITY, undefined],
    [null, undefined],
  ])("takes expires_in %s as %s", (given, read) => {
    expect(parseTokens({ access_token: "a", expires_in: given }).expiresIn).toBe(read);
  });

  it.each(["Bearer", "bearer", "BEARER", undefined])("accepts the token type %s", (type) => {
    expect(parseTokens({ access_token: "a", token_type: type }).accessToken).toBe("a");
  });

  it.each(["DPoP", "dpop", "mac", "N_A"])("refuses the token type %s with a code of its own", (type) => {
    expect(refusal({ access_token: "secret-access", token_type: type }).code).toBe("unsupported-token-type");
  });

  it.each([
    undefined,
    null,
    "",
    {},
    [],
    7,
    { access_token: "" },
    { access_token: 7 },
    { access_token: {} },
    { error: "invalid_grant" },
    { access_token: "two words" },
    { access_token: "line\nbreak" },
    { access_token: "ümlaut" },
    { access_token: "a", refresh_token: 7 },
    { access_token: "a", id_token: "b c" },
  ])("refuses %j as an invalid response", (input) => {
    expect(refusal(input).code).toBe("invalid-response");
  });

  it("never repeats in its refusal what it was given", () => {
    for (const input of [
      { access_token: "secret access" },
      { access_token: "secretaccess", token_type: "DPoP" },
      { access_token: "secretaccess", refresh_token: " secretaccess" },
    ]) {
      expectNoSecret(["secret access", "secretaccess"], refusal(input), "a refusal");
    }
  });
});

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

  it("R37 finds claims the same that differ only in what every renewal changes", () => {
    expect(sameClaims({ sub: "a", exp: 1, iat: 1, jti: "1" }, { iat: 2, jti: "2", exp: 2, sub: "a" })).toBe(true);
    expect(sameClaims({ sub: "a", roles: ["x"] }, { sub: "a", roles: ["y"] })).toBe(false);
    expect(sameClaims(null, null)).toBe(true);
    expect(sameClaims(null, { sub: "a" })).toBe(false);
  });

  it("R44 tells another subject or client apart, where both are named", () => {
    expect(differentParty({ sub: "a" }, { sub: "b" })).toBe(true);
    expect(differentParty({ sub: "a", client_id: "x" }, { sub: "a", client_id: "y" })).toBe(true);
    expect(differentParty({ sub: "a" }, { sub: "a" })).toBe(false);
    expect(differentParty({ sub: "a" }, {})).toBe(false);
    expect(differentParty(null, { sub: "a" })).toBe(false);
  });
});
