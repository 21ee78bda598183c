import type { DebugEvent } from "../../src/types/index.js";
import type { Log } from "./app.js";

/** Nobody reads the story. */
export const silent: Log = () => {};

/** A decision of the session, in words. */
export const told = ({ type, at: _at, tab: _tab, ...details }: DebugEvent): string =>
  [type, ...Object.entries(details).map(([name, value]) => `${name} ${value}`)].join(", ");
