// Where Firefox and WebKit are, if they are installed. Chromium has a file of its own: it is always found, or its absence is an error.
import { existsSync } from "node:fs";

/** The names of those that are installed, for TOKENTIDE_ENGINES. */
export const installedEngines = () => [findFirefox() && "firefox", findWebKit() && "webkit"].filter(Boolean).join(",");

export const NO_ENGINES = "\n── not run: Firefox and WebKit (Debian: apt-get install firefox-esr webkit2gtk-driver xvfb procps)";

/** @returns {string | undefined} */
export function findFirefox() {
  return [process.env.TOKENTIDE_FIREFOX, "/usr/bin/firefox-esr", "/usr/bin/firefox"].find((path) => path && existsSync(path));
}

export const webKitDriver = process.env.TOKENTIDE_WEBKIT_DRIVER ?? "/usr/bin/WebKitWebDriver";

/** WebKitGTK's MiniBrowser; its driver alone starts nothing. @returns {string | undefined} */
export function findWebKit() {
  if (!existsSync(webKitDriver) || !existsSync("/usr/bin/Xvfb")) return undefined;
  const places = ["x86_64-linux-gnu", "aarch64-linux-gnu"].flatMap((machine) =>
    ["4.1", "4.0", "6.0"].map((version) => `/usr/lib/${machine}/webkit2gtk-${version}/MiniBrowser`),
  );
  return places.find((path) => existsSync(path));
}
