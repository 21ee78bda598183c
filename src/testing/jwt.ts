/** Base64url of the JSON in UTF-8, wherever this runs. */
function encode(value: unknown): string {
  const bytes = String.fromCharCode(...new TextEncoder().encode(JSON.stringify(value)));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

let serial = 0;

/** Looks like a signed JWT; nobody here verifies it. Each one is different, as a real one is by its `jti`. */
export function makeJwt(claims: Record<string, unknown>, header: Record<string, unknown> = { alg: "ES256", typ: "at+jwt" }): string {
  serial += 1;
  return `${encode(header)}.${encode(claims)}.${encode(`signature ${serial}`)}`;
}
