import type { Config } from "../config.js";
import { at } from "../place.js";
import { isCall, linesOf } from "./call.js";
import { setupOf } from "./setup.js";
import { wayOf } from "./ways.js";

/** The set-up of this tab's session, as an app would write it. The demo adds `debug` for the timeline, and an `environment` that it can break. */
export function codeOf(chosen: Config): string {
  const { dpop, ...shown } = setupOf(chosen);
  const setup = Object.entries(shown);
  const calls = setup.flatMap(([, value]) => (isCall(value) ? [value.name] : []));
  const names = [...calls, "createSession", ...(dpop ? ["dpop"] : [])].sort();
  return [
    `import { ${names.join(", ")} } from "tokentide";`,
    "",
    ...(dpop ? ["// The login binds its tokens to the key of proofs.keyPair().", "export const proofs = dpop();"] : []),
    "export const session = createSession({",
    ...setup.flatMap(([option, value]) => linesOf(option, value).map((line) => `  ${line}`)),
    ...(dpop ? ["  dpop: proofs,"] : []),
    ...(chosen.compare ? ["  // For the comparison the demo also takes away what keeps tabs apart: there is no option for it."] : []),
    "});",
    "",
    `const url = ${JSON.stringify(at(`${wayOf(chosen.way).folder}api/me`))};`,
    "const response = await session.fetch(url);",
  ].join("\n");
}
