import { element, make, pause } from "../dom.js";
import { at } from "../place.js";
import { lanes } from "./lanes.js";

const KEY = "tokentide-demo:frames";
/** How long a tab may take to say hello after the one before it; those that have not are taken for blocked. */
const PATIENCE = 4000;

/** How long after that a late one may still take the place of an embedded one. */
const LATE = 60_000;

const strip = () => element("frames");

/** For a reload. */
const remember = () => sessionStorage.setItem(KEY, String(strip().children.length));

/** A small page of the same origin, in this one: to the session it is a tab like any other. */
export function embedTab(): HTMLElement {
  const frame = make("iframe", { src: at("?frame"), title: `Embedded tab ${strip().children.length + 1}`, loading: "eager" });
  strip().append(frame);
  remember();
  return frame;
}

/** Those that were here before a reload; in the first tab that is opened, two. */
export function restoreFrames(): void {
  const before = sessionStorage.getItem(KEY);
  const count = before === null ? (lanes.open().length === 1 ? 2 : 0) : Number(before);
  for (let frame = 0; frame < count; frame++) embedTab();
}

/** Opens real tabs. Tells how many the browser blocked: those are embedded instead. */
export async function openTabs(count: number, tell: (blocked: number) => void): Promise<void> {
  const before = new Set(lanes.open().map(({ head }) => head.id));
  // Without an opener each gets a process of its own; then there is no window to look at either: a new tab says hello.
  for (let tab = 0; tab < count; tab++) window.open(at(""), "_blank", "noopener");
  const missing = () => Math.max(0, count - lanes.open().filter(({ head }) => !head.framed && !before.has(head.id)).length);
  let end = Date.now() + PATIENCE;
  for (let left = count; left > 0 && Date.now() < end; await pause(50)) {
    if (missing() < left) end = Date.now() + PATIENCE;
    left = missing();
  }
  const instead = Array.from({ length: missing() }, embedTab);
  tell(instead.length);
  // One that was merely slow to come takes the place of its stand-in.
  const undo = lanes.onChange(() => {
    if (instead.length <= missing()) return;
    while (instead.length > missing()) instead.pop()?.remove();
    remember();
    tell(instead.length);
  });
  setTimeout(undo, LATE);
}
