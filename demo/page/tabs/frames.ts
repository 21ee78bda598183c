import { element, make } from "../dom.js";
import { at } from "../place.js";
import { lanes } from "./lanes.js";

const KEY = "tokentide-demo:frames";
/** How long a tab may take to say hello; one that has not is taken for blocked. */
const PATIENCE = 2500;

const strip = () => element("frames");

/** A small page of the same origin, in this one: to the session it is a tab like any other. */
export function embedTab(): void {
  const count = strip().children.length + 1;
  sessionStorage.setItem(KEY, String(count));
  strip().append(make("iframe", { src: at("?frame"), title: `Embedded tab ${count}`, loading: "eager" }));
  element("embedded").hidden = false;
}

/** Those that were here before a reload; in the first tab that is opened, two. */
export function restoreFrames(): void {
  const before = sessionStorage.getItem(KEY);
  const count = before === null ? (lanes.open().length === 1 ? 2 : 0) : Number(before);
  for (let frame = 0; frame < count; frame++) embedTab();
}

/** Opens real tabs. Returns how many the browser blocked: those are embedded instead. */
export async function openTabs(count: number): Promise<number> {
  const before = new Set(lanes.open().map(({ head }) => head.id));
  // Without an opener each gets a process of its own; then there is no window to look at either: a new tab says hello.
  for (let tab = 0; tab < count; tab++) window.open(at(""), "_blank", "noopener");
  const opened = () => lanes.open().filter(({ head }) => !head.framed && !before.has(head.id)).length;
  const end = Date.now() + PATIENCE;
  while (opened() < count && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
  const blocked = Math.max(0, count - opened());
  for (let tab = 0; tab < blocked; tab++) embedTab();
  return blocked;
}
