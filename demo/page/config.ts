import { wayOf } from "./session/ways.js";
import { hear, say } from "./tabs/channel.js";

/** What the visitor has chosen; the same in every tab, and after a reload. */
export interface Config {
  readonly way: string;
  /** Without the cross-tab lock, as most apps do it. */
  readonly compare: boolean;
  /** Seconds in which the server answers a used refresh token again; 0 is strict. */
  readonly grace: number;
}

const KEY = "tokentide-demo";
const initial: Config = { way: "oauth2", compare: false, grace: 0 };

export function config(): Config {
  try {
    return { ...initial, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Config>) };
  } catch {
    return initial;
  }
}

/** As far as the server of that way has one. */
export const graceOf = ({ way, grace }: Config): number => (wayOf(way).grace ? grace : 0);

/** Tells the other tabs; each of them begins anew with it. */
export function choose(change: Partial<Config>): Config {
  const next = { ...config(), ...change };
  localStorage.setItem(KEY, JSON.stringify(next));
  say({ type: "chosen", config: next });
  return next;
}

/** Another tab has chosen. What it chose comes with the message, which may overtake what it stored. */
export function onChosen(listener: (config: Config) => void): void {
  hear("chosen", ({ config }) => listener({ ...initial, ...config }));
}
