import { element } from "./dom.js";

export type Tone = "good" | "bad" | "plain";

const LENGTH = 60;
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

/** Writes lines into a list, the newest on top. */
export function createLog(id: string): (text: string, tone?: Tone, at?: number) => void {
  const list = element<HTMLOListElement>(id);
  return (text, tone = "plain", at = Date.now()) => {
    const line = document.createElement("li");
    line.className = tone;
    const time = document.createElement("time");
    time.textContent = clock.format(at);
    line.append(time, text);
    list.prepend(line);
    while (list.children.length > LENGTH) list.lastElementChild?.remove();
  };
}
