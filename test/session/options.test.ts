import { describe, expect, it } from "vitest";
import { normalizeOptions } from "../../src/session/options.js";
import { oauth2 } from "../../src/strategies/oauth2.js";
import { World } from "../../src/testing/world.js";
import type { SessionOptions } from "../../src/types/index.js";

const { environment } = new World().tab();
const refresh = () => "token";
const own = { name: "app", refresh };

describe("options", () => {
  it("J4 A1 have their documented defaults", () => {
    const settings = normalizeOptions({ ...own, environment });
    expect(settings).toMatchObject({
      name: "app",
      persist: "indexeddb",
      maxAge: undefined,
      cookieSignIn: undefined,
      readClaims: true,
      refreshTimeout: 10_000,
      takeoverAfter: 30_000,
      reuseGrace: 0,
      lead: undefined,
      jitter: undefined,
    });
    expect([...settings.allowedOrigins]).toEqual(["https://app.example.test"]);
  });

  it("A2 A3 that are given replace the defaults, empty ones too", () => {
    const settings = normalizeOptions({ ...own, environment, allowedOrigins: [], refreshTimeout: 20_000, lead: 0 });
    expect([settings.allowedOrigins.size, settings.refreshTimeout, settings.takeoverAfter, settings.lead]).toEqual([0, 20_000, 60_000, 0]);
  });

  it("R32 origins are normalised: case, default port, slash", () => {
    const allowedOrigins = ["https://API.Example.com:443/", "http://localhost:3000"];
    expect([...normalizeOptions({ ...own, environment, allowedOrigins }).allowedOrigins]).toEqual([
      "https://api.example.com",
      "http://localhost:3000",
    ]);
  });

  it("an own function becomes a strategy that needs no refresh token", () => {
    expect(normalizeOptions({ ...own, environment }).strategy).toMatchObject({ needsRefreshToken: false, refresh });
  });

  it.each([
    ["a path", "https://api.example.com/v1"],
    ["a path of the default port", "https://api.example.com:443/v1/"],
    ["a wildcard", "https://*.example.com"],
    ["a wildcard alone", "*"],
    ["a user name", "https://user@api.example.com"],
    ["a password", "https://user:secret@api.example.com/"],
    ["a query", "https://api.example.com?x"],
    ["an empty query", "https://api.example.com/?"],
    ["a hash", "https://api.example.com/#x"],
    ["no scheme", "api.example.com"],
    ["no scheme but a port", "localhost:3000"],
    ["another scheme", "wss://api.example.com"],
    ["a shell's scheme", "capacitor://localhost"],
    ["an origin inside", "blob:https://api.example.com/1"],
    ["nothing", ""],
    ["an empty user name", "https://@api.test"],
    ["an empty user name and password", "https://:@api.test"],
    ["a path that comes to nothing", "https://api.test/x/.."],
    ["a dot", "https://api.test/."],
    ["a dot in other letters", "https://api.test/%2e"],
    ["a path of slashes", "https://api.test//"],
    ["a scheme without slashes", "https:api.test"],
    ["a scheme with one slash", "https:/api.test"],
    ["a scheme with three slashes", "https:///api.test"],
    ["backslashes", "https:\\\\api.test"],
    ["a backslash at the end", "https://api.test\\"],
    ["a line end after it", "https://api.test\n"],
    ["a line end in it", "https://api\n.test"],
    ["a space before it", " https://api.test"],
    ["escapes", "https://api%2etest"],
  ])("R75 %s is no origin", (_, origin) => {
    const create = () => normalizeOptions({ ...own, environment, allowedOrigins: ["https://x.test", origin] });
    expect(create).toThrow(TypeError);
    expect(create).toThrow(
      /^createSession: allowedOrigins must be origins such as "https:\/\/api.example.com", without path or wildcard; it is /,
    );
  });

  it("R75 a slash at the end, an address in numbers, and an object that reads like an origin are fine", () => {
    const allowedOrigins = [
      "https://api.example.com/",
      "http://[::1]:3000",
      "http://127.0.0.1",
      new URL("https://url.test") as never,
      "HTTPS://b\u00fccher.test:443/",
    ];
    expect([...normalizeOptions({ ...own, environment, allowedOrigins }).allowedOrigins]).toEqual([
      "https://api.example.com",
      "http://[::1]:3000",
      "http://127.0.0.1",
      "https://url.test",
      "https://xn--bcher-kva.test",
    ]);
  });

  it.each([
    "capacitor://localhost",
    "tauri://localhost",
    "app://-",
    "chrome-extension://abcdef",
    "moz-extension://1-2",
    "file://",
    undefined,
  ])("R76 on a page of %s no origin gets the bearer unless it is named", (origin) => {
    const page = { ...environment, origin };
    expect(normalizeOptions({ ...own, environment: page }).allowedOrigins.size).toBe(0);
    const { allowedOrigins } = normalizeOptions({ ...own, environment: page, allowedOrigins: ["https://api.example.com"] });
    expect([...allowedOrigins]).toEqual(["https://api.example.com"]);
  });

  it("R77 a function of one's own needs a name, and so does a strategy without an id: neither tells two apps of one origin apart", () => {
    for (const way of [refresh, { id: "", needsRefreshToken: false, refresh }, { needsRefreshToken: false, refresh } as never]) {
      for (const name of [{}, { name: undefined as never }, { name: "" }, { name: null as never }])
        expect(() => normalizeOptions({ environment, refresh: way, ...name } as SessionOptions)).toThrow(/^createSession: name must be /);
      expect(normalizeOptions({ environment, refresh: way, name: "app" }).name).toBe("app");
    }
    expect(normalizeOptions({ environment, refresh: { id: "own", needsRefreshToken: false, refresh } }).name).toBeUndefined();
    expect(normalizeOptions({ environment, refresh: oauth2({ tokenEndpoint: "/token", clientId: "spa" }) }).name).toBeUndefined();
  });

  it("say what was expected and what came", () => {
    expect(() => normalizeOptions({ ...own, environment, lead: -5 })).toThrow(/lead.*milliseconds.*-5/);
    expect(() => normalizeOptions({ ...own, environment, allowedOrigins: ["nonsense"] })).toThrow(/allowedOrigins.*"nonsense"/);
    const nameless = (refresh: unknown) => () => normalizeOptions({ environment, refresh } as SessionOptions);
    expect(nameless(refresh)).toThrow(/name must be a non-empty string, since refresh is a function of your own; it is ""$/);
    expect(nameless(oauth2)).toThrow(/since refresh is a function of your own/);
    const named = { refresh: oauth2({ tokenEndpoint: "/token", clientId: "spa" }), name: "" };
    expect(() => normalizeOptions({ ...named, environment })).toThrow(/name must be a non-empty string; it is ""$/);
    expect(() => normalizeOptions({ ...own, environment, expiryClaim: "" })).toThrow(/expiryClaim must be a non-empty string; it is ""$/);
  });
});
