/** Base64url of the value's JSON in UTF-8. */
function encode(value: unknown): string {
  // One call for each byte: the bytes of a large token as arguments of one call overflow the stack.
  const bytes = Array.from(new TextEncoder().encode(JSON.stringify(value)), (byte) => String.fromCharCode(byte)).join("");
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

let serial = 0;

/**
 * Makes a token that looks like a signed JWT. The signature is not valid, and differs in each token, so that no two tokens are equal.
 * The claims `exp` and `iat` are in seconds. The default header is the one of an access token (RFC 9068).
 */
export function makeJwt(claims: Record<string, unknown>, header: Record<string, unknown> = { alg: "ES256", typ: "at+jwt" }): string {
  serial += 1;
  return `${encode(header)}.${encode(claims)}.${encode(`signature ${serial}`)}`;
}
