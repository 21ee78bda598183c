import { describe, expect, it } from "vitest";
import { cookie, oauth2, tokenPair } from "../../src/index.js";
import type { SessionOptions } from "../../src/types/index.js";
import { scene } from "../support/scene.js";

const ENDPOINT = "https://auth.example.test/token";
const client = (tokenEndpoint = ENDPOINT, clientId = "spa") => ({ refresh: oauth2({ tokenEndpoint, clientId }) });
const issuedBy = (issuer: string, clientId = "spa") => ({ refresh: oauth2({ issuer, clientId }) });
const own = { refresh: () => "token" };

/** What the second of two pages of one origin is, when somebody has signed in to the first. */
async function statusOf(second: Partial<SessionOptions>, first: Partial<SessionOptions>) {
  const stage = scene();
  const one = await stage.signedIn(first);
  const other = await stage.open(second);
  await stage.clock.advance(1_000);
  // In every store, lock and channel: a sign-out is heard of as little as a sign-in.
  const before = other.status();
  await stage.clock.until(one.session.signOut());
  await stage.clock.advance(1_000);
  expect(other.status().startsWith("signed-out")).toBe(true);
  expect(other.count("signed-out")).toBe(before === "signed-in" ? 1 : 0);
  return before;
}

describe("what a session is kept under", () => {
  it.each<[string, Partial<SessionOptions>, Partial<SessionOptions>]>([
    ["an endpoint that moved", client("https://login.example.test/v2/token"), client()],
    ["an issuer for a token endpoint", issuedBy("https://auth.example.test"), client()],
    ["a path for a URL", { refresh: cookie({ url: "/refresh" }) }, { refresh: cookie({ url: "https://app.example.test/refresh" }) }],
    ["a URL that moved", { refresh: cookie({ url: "/v2/refresh" }) }, { refresh: cookie({ url: "/refresh" }) }],
    ["a function of one's own in place of a strategy", own, { refresh: tokenPair({ url: "/refresh" }) }],
    ["another function of one's own", { refresh: async () => "another" }, own],
  ])("R78 with a name is the name and the client: %s signs nobody out", async (_, later, earlier) => {
    expect(await statusOf({ ...later, name: "app" } as SessionOptions, { ...earlier, name: "app" } as SessionOptions)).toBe("signed-in");
  });

  it.each<[string, Partial<SessionOptions>, Partial<SessionOptions>]>([
    ["two realms of one origin", issuedBy("https://id.example.test/realms/a"), issuedBy("https://id.example.test/realms/b")],
    ["two realms, by their endpoints", client("https://id.example.test/a/token"), client("https://id.example.test/b/token")],
    ["two apps with different paths", { refresh: cookie({ url: "/a/refresh" }) }, { refresh: cookie({ url: "/b/refresh" }) }],
    ["two apps with different paths, posting", { refresh: tokenPair({ url: "/a/t" }) }, { refresh: tokenPair({ url: "/b/t" }) }],
    ["two clients", client(ENDPOINT, "one"), client(ENDPOINT, "two")],
  ])("R78 without a name is the whole endpoint: %s are strangers", async (_, one, other) => {
    expect(await statusOf(one, other)).toBe("signed-out");
  });

  it.each<[string, Partial<SessionOptions>, Partial<SessionOptions>]>([
    ["two names", { ...client(), name: "a" }, { ...client(), name: "b" }],
    ["two names of functions", { ...own, name: "a" }, { ...own, name: "b" }],
    ["two clients of one name", { ...client(ENDPOINT, "one"), name: "a" }, { ...client(ENDPOINT, "two"), name: "a" }],
    ["a client and none", { ...client(ENDPOINT, "one"), name: "a" }, { ...own, name: "a" }],
    ['the name "default" and none', { ...client(), name: "default" }, client()],
    ["a name that looks like a key, and none", { ...client(), name: `default:${ENDPOINT} spa` }, client()],
    ["a separator in the name, or in the client", { ...client(ENDPOINT, "b c"), name: "a" }, { ...client(ENDPOINT, "c"), name: "a b" }],
    ["a quote in them", { ...client(ENDPOINT, 'b","c'), name: "a" }, { ...client(ENDPOINT, "c"), name: 'a","b' }],
    ["a client called null, and none", { ...client(ENDPOINT, "null"), name: "a" }, { ...own, name: "a" }],
    ["half of two characters", { ...client(), name: "\ud800" }, { ...client(), name: "\udbff" }],
  ])("R78 %s are strangers", async (_, one, other) => {
    expect(await statusOf(one, other)).toBe("signed-out");
  });

  it("R78 an undefined name is none", async () => {
    expect(await statusOf({ ...client(), name: undefined as never }, client())).toBe("signed-in");
  });
});
