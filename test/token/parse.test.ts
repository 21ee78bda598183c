import { describe, expect, it } from "vitest";
import { SessionError } from "../../src/errors.js";
import { parseTokens } from "../../src/token/parse.js";
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
    { access_token: ["a"] },
    { access_token: "a", refresh_token: ["r"] },
    { access_token: "a", refresh_token: "line\nbreak" },
    { access_token: "a", refresh_token: "ümlaut" },
  ])("refuses %j as an invalid response", (input) => {
    expect(refusal(input).code).toBe("invalid-response");
  });

  it("never repeats in its refusal what it was given", () => {
    for (const input of [
      { access_token: "secret access" },
      { access_token: "secretaccess", token_type: "DPoP" },
      { access_token: "secretaccess", refresh_token: "secretaccess\0" },
    ]) {
      expectNoSecret(["secret access", "secretaccess"], refusal(input), "a refusal");
    }
  });
});

describe("R62 an odd answer", () => {
  it.each(["a", " a", "a\n", "\r\n\ta \r\n", "\uFEFFa"])(
    "has %j for an access token and an id token without what is around them",
    (token) => {
      expect(parseTokens({ access_token: token, id_token: token })).toMatchObject({ accessToken: "a", idToken: "a" });
      expect(parseTokens(token).accessToken).toBe("a");
    },
  );

  it.each([
    ["r", "r"],
    ["r\n", "r"],
    ["\t\r\nr\r\n", "r"],
    ["\uFEFFr", "r"],
    ["two words", "two words"],
    [" r ", " r "],
    ["r \n", "r "],
    ["!~", "!~"],
    ["", undefined],
    ["\n", undefined],
    ["  ", undefined],
    [null, undefined],
  ])("R69 has %j for a refresh token that is %j", (token, read) => {
    expect(parseTokens({ access_token: "a", refresh_token: token }).refreshToken).toBe(read);
  });

  it.each(["b c", 7, ["i"], {}, true, "line\nbreak"])("is told, and read without it, where the id token is %j", (id_token) => {
    const problems: string[] = [];
    const read = parseTokens({ access_token: "a", refresh_token: "r", id_token }, { complain: (problem) => problems.push(problem) });
    expect([read.idToken, read.refreshToken, problems]).toEqual([undefined, "r", ["idToken cannot be read, and is not used"]]);
  });

  it.each([
    [{ refresh_token: "r" }, "r", false],
    [{ access_token: "a b", refresh_token: "r\n" }, "r", false],
    [{ access_token: ["a"], refresh_token: "r" }, "r", false],
    [{ access_token: 7, refreshToken: "r" }, "r", false],
    [{ access_token: "a", refresh_token: "r", token_type: "DPoP" }, "r", false],
    [{ access_token: "a", refresh_token: "r", token_type: {} }, "r", false],
    [{ access_token: "a", token_type: "DPoP" }, undefined, true],
    [{ access_token: "a", refresh_token: 7 }, "", true],
    [{ error: "oops" }, undefined, true],
    ["two words", undefined, true],
  ])("%j hands over its refresh token before it is refused, or says that one may be lost", (input, refreshToken, lost) => {
    const rescued = {};
    expect(() => parseTokens(input, { rescued })).toThrow(expect.objectContaining({ lost }));
    expect(rescued).toEqual({ refreshToken });
  });

  it.each(["Bearer ", "bearer\n", ["Bearer"], "", null])("has the token type %j for bearer", (token_type) => {
    expect(parseTokens({ access_token: "a", token_type }).accessToken).toBe("a");
  });

  it.each(['{"access_token":"a"}', "access_token=a&refresh_token=r", '"a"', "undefined", " null\n"])(
    "that is the text %j is no access token, and is not repeated",
    (text) => {
      expect(refusal(text).message).toBe(
        "expected accessToken (or access_token, or what accessTokenField says) to be a text without spaces, quotes or braces",
      );
      expect(refusal({ access_token: "a", refresh_token: [text] }).message).toMatch(/^expected refreshToken \(or refresh_token/);
    },
  );

  it.each([[false], [0], [[]], [{}], [true]])("has %j for no refresh token", (refresh_token) => {
    expect(parseTokens({ access_token: "a", refresh_token })).toMatchObject({ accessToken: "a", refreshToken: undefined });
  });

  it("has the usable one of two spellings", () => {
    expect(parseTokens({ accessToken: {}, access_token: "a", refreshToken: { rotated: true }, refresh_token: "r" })).toMatchObject({
      accessToken: "a",
      refreshToken: "r",
    });
  });

  it("leaves a refresh token out that is of no use, where none is needed, and none is lost", () => {
    expect(parseTokens({ access_token: "a", refresh_token: { expires: 7 } }, { needed: false }).refreshToken).toBeUndefined();
    expect(() => parseTokens({}, { needed: false })).toThrow(expect.objectContaining({ lost: false }));
  });

  it.each([[["a"]], [new Proxy(["a"], {})], [7]])("has a scope only where that is a text: %j", (scope) => {
    expect(parseTokens({ access_token: "a", scope }).scope).toBeUndefined();
  });

  it("takes time in proportion to its length only", () => {
    const started = performance.now();
    for (const part of ["\t", " ", "a", "a ", "\n"]) {
      const odd = `${part.repeat(1_000_000)}\0`;
      expect(() => parseTokens({ access_token: odd, refresh_token: odd, token_type: odd })).toThrow();
    }
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});

describe("R65 a lifetime in an answer", () => {
  it.each(["1h", "2030-01-01T00:00:00Z", 0, -1, "-5", Number.NaN, Number.POSITIVE_INFINITY, true, {}, [60]])(
    "of %j cannot be read, which is said",
    (given) => {
      const problems: string[] = [];
      const complain = (problem: string) => problems.push(problem);
      const read = parseTokens({ access_token: "a", expires_in: given, session_expires_in: given }, { complain });
      expect([read.expiresIn, read.sessionExpiresIn]).toEqual([undefined, undefined]);
      expect(problems).toEqual(["expiresIn cannot be read, and is not used", "sessionExpiresIn cannot be read, and is not used"]);
    },
  );

  it.each([
    ["60", 60],
    [" 60\n", 60],
    ["1e3", 1_000],
    [60.5, 60.5],
    [undefined, undefined],
    [null, undefined],
    ["", undefined],
  ])("of %j is read as %j, and nothing is said", (given, read) => {
    const complain = (problem: string) => expect.fail(problem);
    const tokens = parseTokens({ access_token: "a", expiresIn: given, sessionExpiresIn: given }, { complain });
    expect([tokens.expiresIn, tokens.sessionExpiresIn]).toEqual([read, read]);
  });
});
