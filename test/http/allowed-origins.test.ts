import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AUTHORITY } from "../../src/http/allowed-origins.js";

/** What the parser says of an address, as a page reads it. */
function originOf(address: string): string | undefined {
  try {
    return new URL(address, "https://page.test/folder/").origin;
  } catch {
    return undefined;
  }
}

const PIECES = [
  ...[
    "https:",
    "http:",
    "HTTPS:",
    "httpſ:",
    "//",
    "/",
    "\\",
    "?",
    "#",
    "@",
    ":",
    ":443",
    ":8443",
    "api.example.com",
    ".evil.test",
    "user:pw",
  ],
  ...["%2f", "%40", "\t", "\n", " ", "\u0001", "\u007f", "\u00a0", "\ufeff", "。", "[::1]", "xn--", "ß", "..", "*", "|", "^"],
];

describe("R32 the authority of an address", () => {
  const addresses = fc
    .tuple(
      fc.constantFrom("https://", "http://", "https:/", "httpſ://", ""),
      fc.array(fc.constantFrom(...PIECES), { maxLength: 4 }),
      fc.array(fc.constantFrom(...PIECES), { maxLength: 4 }),
    )
    .map(([scheme, host, rest]) => [`${scheme}${host.join("")}`, rest.join("")] as const);

  it("decides alone on the origin: an address with the same authority has the same one", () => {
    let matched = 0;
    fc.assert(
      fc.property(addresses, fc.constantFrom("", "/", "/a", "?b", "#c", "\\d"), ([start, rest], other) => {
        const authority = AUTHORITY.exec(start + rest)?.[0];
        if (authority === undefined) return;
        const [origin, another] = [start + rest, authority + other].map(originOf);
        if (origin === undefined || another === undefined) return;
        matched++;
        expect(another).toBe(origin);
      }),
      { numRuns: 30_000, seed: 32 },
    );
    expect(matched).toBeGreaterThan(1_000);
  });

  it.each([
    "httpſ://api.example.com/",
    "https:/api.example.com/",
    "//api.example.com/",
    "https://api\t.example.com/",
    " https://api.example.com/",
  ])("is not taken from %j, which is parsed whole", (address) => expect(AUTHORITY.test(address)).toBe(false));
});
