import type { Config } from "../config.js";
import type { Entry, LaneHead } from "./lane.js";

/** The messages between the demo's tabs. They hold instants, statuses and words, and never a token. */
export type Word =
  | { type: "hello" }
  | { type: "lane"; head: LaneHead; entries: Entry[] }
  | { type: "entry"; id: string; entry: Entry }
  | { type: "beat"; head: LaneHead }
  | { type: "bye"; id: string }
  | { type: "chosen"; config: Partial<Config> }
  /** The device has no network until this instant. */
  | { type: "offline"; until: number }
  | { type: "sign-in"; id: string; subject: string };

type Of<Type extends Word["type"]> = Extract<Word, { type: Type }>;

const listeners = new Map<string, ((word: never) => void)[]>();
let channel: BroadcastChannel | undefined;

function open(): void {
  channel = new BroadcastChannel("tokentide-demo");
  channel.onmessage = ({ data }: MessageEvent<Word>) => {
    for (const listener of listeners.get(data?.type) ?? []) (listener as (word: Word) => void)(data);
  };
}

open();
// Browsers keep no page with an open channel in the back/forward cache.
addEventListener("pagehide", () => channel?.close());
addEventListener("pageshow", ({ persisted }) => persisted && open());

export function say(word: Word): void {
  try {
    channel?.postMessage(word);
  } catch {
    // Closed while the page is away.
  }
}

export function hear<Type extends Word["type"]>(type: Type, listener: (word: Of<Type>) => void): void {
  listeners.set(type, [...(listeners.get(type) ?? []), listener as (word: never) => void]);
}
