// Where Firefox and WebKit are, if they are installed. Chromium has a file of its own: it is always found, or its absence is an error.
import { existsSync } from "node:fs";

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
