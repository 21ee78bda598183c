// Finds a Chromium for the browser tests: one that is named, one that is installed, or the one in an npm package. Never none in silence.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * @typedef {object} Chromium
 * @property {string} path
 * @property {string} origin where it was found, for people
 * @property {boolean} backForwardCache a headless shell has none
 * @property {Record<string, string>} env what it needs to start
 */

/** @returns {Promise<Chromium>} */
export async function findChromium() {
  const named = process.env.TOKENTIDE_CHROMIUM;
  if (named !== undefined && named !== "") {
    if (!existsSync(named)) throw new Error(`TOKENTIDE_CHROMIUM names ${named}, and there is no such file.`);
    return browserAt(named, "named by TOKENTIDE_CHROMIUM");
  }
  const installed = usualPlaces().find(existsSync);
  if (installed !== undefined) return browserAt(installed, "installed");
  const cached = playwrightCache();
  if (cached !== undefined) return browserAt(cached, "from Playwright's cache");
  return unpackedFromNpm();
}

export function describeChromium(/** @type {Chromium} */ { path, origin, backForwardCache }) {
  return `${path} (${origin})${backForwardCache ? "" : "; it has no back/forward cache, so the scenarios about it are listed as not run"}`;
}

/** @returns {Chromium} */
function browserAt(/** @type {string} */ path, /** @type {string} */ origin) {
  return { path, origin, backForwardCache: !/headless[-_]shell/i.test(path), env: {} };
}

function usualPlaces() {
  switch (process.platform) {
    case "darwin":
      return ["/Applications", join(homedir(), "Applications")].flatMap((folder) =>
        ["Google Chrome", "Chromium", "Google Chrome for Testing", "Microsoft Edge"].map((app) =>
          join(folder, `${app}.app`, "Contents", "MacOS", app),
        ),
      );
    case "win32":
      return [process.env.PROGRAMFILES, process.env["PROGRAMFILES(X86)"], process.env.LOCALAPPDATA]
        .filter((folder) => folder !== undefined)
        .flatMap((folder) =>
          ["Google\\Chrome\\Application\\chrome.exe", "Chromium\\Application\\chrome.exe", "Microsoft\\Edge\\Application\\msedge.exe"].map(
            (file) => join(folder, file),
          ),
        );
    default:
      return ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"]
        .flatMap((name) => (process.env.PATH ?? "/usr/bin").split(":").map((folder) => join(folder, name)))
        .concat("/opt/google/chrome/chrome", "/snap/bin/chromium");
  }
}

/** The newest Chromium that `playwright install` left, a whole one before a headless shell. */
function playwrightCache() {
  const folder =
    process.env.PLAYWRIGHT_BROWSERS_PATH ??
    {
      darwin: join(homedir(), "Library", "Caches", "ms-playwright"),
      win32: join(process.env.LOCALAPPDATA ?? homedir(), "ms-playwright"),
    }[/** @type {string} */ (process.platform)] ??
    join(homedir(), ".cache", "ms-playwright");
  if (!existsSync(folder)) return undefined;
  const inside = [
    "chrome-linux64/chrome",
    "chrome-linux/chrome",
    "chrome-mac-arm64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing",
    "chrome-mac-x64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing",
    "chrome-mac/Chromium.app/Contents/MacOS/Chromium",
    "chrome-win64/chrome.exe",
    "chrome-win/chrome.exe",
    "chrome-headless-shell-linux64/chrome-headless-shell",
    "chrome-linux/headless_shell",
  ];
  const builds = readdirSync(folder).filter((name) => name.startsWith("chromium"));
  const number = (/** @type {string} */ name) => Number(/\d+$/.exec(name)?.[0] ?? 0);
  builds.sort((a, b) => Number(a.includes("headless")) - Number(b.includes("headless")) || number(b) - number(a));
  return builds.flatMap((build) => inside.map((file) => join(folder, build, file))).find(existsSync);
}

/** `@sparticuz/chromium` carries a headless shell for Linux on x64, compressed; it is unpacked once. */
async function unpackedFromNpm() {
  const advice =
    "The browser tests need Chromium or Chrome, and none was found. Install one (Debian and Ubuntu: `apt-get install chromium`; " +
    "elsewhere https://www.google.com/chrome/, or `npx playwright-core install chromium`), or name one in TOKENTIDE_CHROMIUM.";
  if (process.platform !== "linux" || process.arch !== "x64") throw new Error(advice);
  const folder = fileURLToPath(new URL("../node_modules/.cache/tokentide-chromium", import.meta.url));
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "chromium");
  // In a process of its own: the package unpacks into the temporary folder of its process, and brings its libraries only if it
  // believes to be on a cloud's build machine.
  const script = 'import("@sparticuz/chromium").then((module) => module.default.executablePath())';
  const unpack = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    env: { ...process.env, TMPDIR: folder, CODEBUILD_BUILD_IMAGE: "nodejs20" },
    encoding: "utf8",
  });
  const env = libraries(path, join(folder, "al2023", "lib"));
  const start = spawnSync(path, ["--version"], { env: { ...process.env, ...env }, encoding: "utf8" });
  if (start.status !== 0)
    throw new Error(`${advice}\nThe one of @sparticuz/chromium did not start: ${unpack.stderr}${start.stderr ?? start.error}`);
  return { path, origin: "headless shell of the npm package @sparticuz/chromium", backForwardCache: false, env };
}

/** A system without a browser often lacks its libraries too; the package's own are used only then, since they are of another system. */
function libraries(/** @type {string} */ path, /** @type {string} */ folder) {
  const linked = spawnSync("ldd", [path], { encoding: "utf8" });
  /** @type {Record<string, string>} */
  const env = {};
  if (linked.status !== 0 || linked.stdout.includes("not found")) {
    env.LD_LIBRARY_PATH = [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(":");
  }
  return env;
}
