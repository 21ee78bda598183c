import { describe, expect, it } from "vitest";
import { type Entry, makeEntry, parseEntry, redact, redactUrl } from "../../src/devtools/entry.js";
import { makeJwt } from "../../src/testing/jwt.js";

const jwt = makeJwt({ sub: "ada", exp: 2_000_000_000 });

describe("what the devtools show", () => {
  it.each([
    ["a JWT", `no such token: ${jwt}!`, "no such token: …!"],
    ["an opaque token", "Bearer 2YotnFZFEjr1zCsicMWpAA~x/y", "Bearer …/y"],
    ["a word", "refresh-started at 12:00", "refresh-started at 12:00"],
  ])("R39 has no token in a text: %s", (_, text, shown) => expect(redact(text)).toBe(shown));

  it.each([
    [`https://ada:secret@api.example.com/notes/${jwt}/a?code=1#${jwt}`, "https://api.example.com/notes/…/a"],
    ["https://app.example.com/api/me?access_token=short", "/api/me"],
    ["https://a-very-long-name-of-a-host.example.com/me", "https://a-very-long-name-of-a-host.example.com/me"],
  ])("R39 has of an address neither query, fragment and credentials, nor what looks like a token: %s", (url, shown) =>
    expect(redactUrl(url, "https://app.example.com/page")).toBe(shown),
  );

  it("R39 leaves claims, errors and whatever else is no number or word out", () => {
    const details = {
      claims: { sub: "ada" },
      error: new Error(jwt),
      version: 3,
      adopted: false,
      by: "x1",
      expiresAt: null,
      at: Number.NaN,
      [jwt]: jwt,
    };
    expect(makeEntry(1, "event", "refreshed", details)).toEqual({
      at: 1,
      of: "event",
      name: "refreshed",
      details: { version: 3, adopted: false, by: "x1", expiresAt: null, "…": "…" },
    });
  });

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["another word", "refreshed"],
    ["an unknown kind", { at: 1, of: "markup", name: "x", details: {} }],
    ["an instant that no Date can hold", { at: 1e300, of: "event", name: "x", details: {} }],
    ["no name", { at: 1, of: "event", details: {} }],
    ["no details", { at: 1, of: "event", name: "x", details: null }],
  ])("takes no entry from another page that is none: %s", (_, value) => expect(parseEntry(value)).toBeUndefined());

  it("takes of an entry of another page only what one may have, and not more of it than fits", () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, index]));
    const parsed = parseEntry({ at: 5, of: "event", name: "a ".repeat(999), details: many, html: "<b>" }) as Entry;
    expect(Object.keys(parsed)).toEqual(["at", "of", "name", "details"]);
    expect([parsed.name.length, Object.keys(parsed.details).length]).toEqual([120, 12]);
  });
});
