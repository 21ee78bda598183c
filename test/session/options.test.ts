import { describe, expect, it } from "vitest";
import { normalizeOptions } from "../../src/session/options.js";
import { World } from "../../src/testing/world.js";

const { environment } = new World().tab();
const refresh = () => "token";

describe("options", () => {
  it("J4 A1 have their documented defaults", () => {
    const settings = normalizeOptions({ refresh, environment });
    expect(settings).toMatchObject({
      name: "default",
      persist: "indexeddb",
      shareAccessToken: true,
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
    const settings = normalizeOptions({ refresh, environment, allowedOrigins: [], refreshTimeout: 20_000, lead: 0 });
    expect([settings.allowedOrigins.size, settings.refreshTimeout, settings.takeoverAfter, settings.lead]).toEqual([0, 20_000, 60_000, 0]);
  });

  it("R32 origins are normalised: case, default port, path", () => {
    const allowedOrigins = ["https://API.Example.com:443/v1/?x#y", "http://localhost:3000"];
    expect([...normalizeOptions({ refresh, environment, allowedOrigins }).allowedOrigins]).toEqual([
      "https://api.example.com",
      "http://localhost:3000",
    ]);
  });

  it("an own function becomes a strategy that needs no refresh token", () => {
    expect(normalizeOptions({ refresh, environment }).strategy).toMatchObject({ needsRefreshToken: false, refresh });
  });

  it("say what was expected and what came", () => {
    expect(() => normalizeOptions({ refresh, environment, lead: -5 })).toThrow(/lead.*milliseconds.*-5/);
    expect(() => normalizeOptions({ refresh, environment, allowedOrigins: ["nonsense"] })).toThrow(/allowedOrigins.*"nonsense"/);
  });
});
