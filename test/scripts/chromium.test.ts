import { afterEach, describe, expect, it, vi } from "vitest";
import { describeChromium, findChromium } from "../../scripts/chromium.js";

describe("finding a Chromium", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  it("takes the one that is named, before any other", async () => {
    vi.stubEnv("TOKENTIDE_CHROMIUM", process.execPath);
    expect(await findChromium()).toMatchObject({ path: process.execPath, backForwardCache: true });
  });

  it("says so when the one that is named is not there, and looks for no other", async () => {
    vi.stubEnv("TOKENTIDE_CHROMIUM", "/no/such/chromium");
    await expect(findChromium()).rejects.toThrow("TOKENTIDE_CHROMIUM names /no/such/chromium, and there is no such file.");
  });

  it("says what to install when there is none", async () => {
    vi.stubEnv("TOKENTIDE_CHROMIUM", "");
    vi.stubEnv("LOCALAPPDATA", "/nowhere");
    vi.stubEnv("PROGRAMFILES", "/nowhere");
    vi.stubEnv("PROGRAMFILES(X86)", "/nowhere");
    vi.stubEnv("PLAYWRIGHT_BROWSERS_PATH", "/nowhere");
    // A system for which no npm package has one.
    vi.spyOn(process, "platform", "get").mockReturnValue("win32");
    await expect(findChromium()).rejects.toThrow(/none was found\. Install one .* or name one in TOKENTIDE_CHROMIUM/);
  });

  it("tells of a headless shell that it has no back/forward cache", () => {
    const shell = { path: "/x/chrome-headless-shell", origin: "installed", backForwardCache: false, env: {} };
    expect(describeChromium(shell)).toContain("listed as not run");
  });
});
