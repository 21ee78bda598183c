import { element, make } from "../dom.js";

export type Tone = "good" | "bad" | "plain";

const LENGTH = 40;
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

/** Returns a function that adds a line at the top of a list. The line has a function that rewrites it. */
export function createList(
  id: string,
): (text: string, tone?: Tone, at?: number) => { set(text: string, tone: Tone, ...chips: string[]): void } {
  const list = element<HTMLOListElement>(id);
  return (text, tone = "plain", at = Date.now()) => {
    const words = make("span", {}, text);
    const line = make("li", { class: tone }, make("time", {}, clock.format(at)), words);
    list.prepend(line);
    while (list.children.length > LENGTH) list.lastElementChild?.remove();
    return {
      set(text, tone, ...chips) {
        line.className = tone;
        words.replaceChildren(text, ...chips.map((chip) => make("em", { class: chip.split(" ")[0] ?? "" }, chip)));
      },
    };
  };
}
