import { type Config, graceOf } from "../config.js";
import { at } from "../place.js";
import { REFRESH_TIMEOUT } from "./current.js";
import { wayOf } from "./ways.js";

/** The set-up that runs in this tab, as an app would write it. The demo adds `debug`, to draw what it hears, and an `environment` that it can break. */
export function codeOf(chosen: Config): string {
  const { imports, code, folder } = wayOf(chosen.way);
  const grace = graceOf(chosen);
  const names = [...imports, "createSession"].sort();
  return [
    `import { ${names.join(", ")} } from "tokentide";`,
    "",
    "export const session = createSession({",
    ...code.map((line) => `  ${line}`),
    `  refreshTimeout: ${REFRESH_TIMEOUT.toLocaleString("en").replace(",", "_")},`,
    ...(grace > 0 ? [`  reuseGrace: ${grace}_000,`] : []),
    ...(chosen.compare ? ["  // For the comparison the demo also takes away what keeps tabs apart: there is no option for it."] : []),
    "});",
    "",
    `const url = ${JSON.stringify(at(`${folder}api/me`))};`,
    "const response = await session.fetch(url);",
  ].join("\n");
}
