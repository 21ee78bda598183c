import { wayOf } from "./session/ways.js";
import { hear, say } from "./tabs/channel.js";

/** The visitor's choices. They are the same in every tab, and survive a reload. */
export interface Config {
  readonly way: string;
  /** Whether the session runs without the cross-tab lock, as in most apps. */
  readonly compare: boolean;
  /** For so many seconds the server answers a used refresh token again; 0 is strict. */
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

/** The chosen grace period; 0 when the way's server has none. */
export const graceOf = ({ way, grace }: Config): number => (wayOf(way).grace ? grace : 0);

/** Stores the choice and tells it to the other tabs. Each tab then starts a new session. */
export function choose(change: Partial<Config>): Config {
  const next = { ...config(), ...change };
  localStorage.setItem(KEY, JSON.stringify(next));
  say({ type: "chosen", config: next });
  return next;
}

/** Calls the listener with the choice of another tab. The message may arrive before the stored choice, so the message carries the choice. */
export function onChosen(listener: (config: Config) => void): void {
  hear("chosen", ({ config }) => listener({ ...initial, ...config }));
}
