import { element, make, pause } from "../dom.js";
import { at } from "../place.js";
import { lanes } from "./lanes.js";

const KEY = "tokentide-demo:frames";
/** Milliseconds that a tab may take to say hello after the tab before it. After that, the page assumes that the browser blocked the tab. */
const PATIENCE = 4000;

/** Milliseconds in which a late tab may still replace an embedded one. */
const LATE = 60_000;

const strip = () => element("frames");

/** Stores the number of embedded tabs for a reload. */
const remember = () => sessionStorage.setItem(KEY, String(strip().children.length));

/** Embeds a small page of the same origin. To the session, the page is a tab like any other. */
export function embedTab(): HTMLElement {
  const frame = make("iframe", { src: at("?frame"), title: `Embedded tab ${strip().children.length + 1}`, loading: "eager" });
  strip().append(frame);
  remember();
  return frame;
}

/** Embeds as many tabs as before a reload. The first tab of the demo embeds two. */
export function restoreFrames(): void {
  const before = sessionStorage.getItem(KEY);
  const count = before === null ? (lanes.open().length === 1 ? 2 : 0) : Number(before);
  for (let frame = 0; frame < count; frame++) embedTab();
}

/** Opens real tabs, and embeds a tab for each one that the browser blocked. Calls `tell` with the number of blocked tabs. */
export async function openTabs(count: number, tell: (blocked: number) => void): Promise<void> {
  const before = new Set(lanes.open().map(({ head }) => head.id));
  // Without an opener each tab has a process of its own, and `open` returns no window. So the page waits for the tab's hello.
  for (let tab = 0; tab < count; tab++) window.open(at(""), "_blank", "noopener");
  const missing = () => Math.max(0, count - lanes.open().filter(({ head }) => !head.framed && !before.has(head.id)).length);
  let end = Date.now() + PATIENCE;
  for (let left = count; left > 0 && Date.now() < end; await pause(50)) {
    if (missing() < left) end = Date.now() + PATIENCE;
    left = missing();
  }
  const instead = Array.from({ length: missing() }, embedTab);
  tell(instead.length);
  // A tab that was only slow replaces its embedded tab.
  const undo = lanes.onChange(() => {
    if (instead.length <= missing()) return;
    while (instead.length > missing()) instead.pop()?.remove();
    remember();
    tell(instead.length);
  });
  setTimeout(undo, LATE);
}
