import { draw } from "./dom.js";
import type { Entry } from "./entry.js";
import type { Lane } from "./lanes.js";
import { type RefreshSpan, refreshSpans, type TokenSpan, tokenSpans } from "./spans.js";
import { clockTime, span } from "./time.js";

const ROW = 38;
const BAR = 12;
const WIDTH = 680;
/** The part of the picture's width that shows the future. */
const AHEAD = 0.15;
/** Milliseconds. A tab that has not answered for longer is frozen, blocked or crashed. */
const SILENT = 12_000;

/** Draws one lane for each tab: tokens as bars, and on them refreshes and failures. Shows the last `window` milliseconds. */
export function drawTimeline(svg: SVGSVGElement, lanes: readonly Lane[], window: number, now: number): void {
  const width = svg.clientWidth || WIDTH;
  const height = Math.max(1, lanes.length) * ROW;
  const from = now - window;
  const x = (instant: number) => Math.min(width, Math.max(0, ((instant - from) / window) * width * (1 - AHEAD)));
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("height", String(height));
  svg.setAttribute("aria-label", lanes.map((lane) => describe(lane, now)).join(" "));
  svg.replaceChildren(
    ...lanes.map((lane, index) => {
      const row = draw("g", { transform: `translate(0 ${index * ROW})`, class: lane.closed ? "closed" : "" });
      row.append(draw("text", { class: "lane", x: 4, y: 12 }, describe(lane, now)), ...shapes(lane, { x, from, now }));
      return row;
    }),
    draw("line", { class: "now", x1: x(now), x2: x(now), y1: 0, y2: height }),
  );
}

/** Describes a tab's lane in words. */
export function describe(lane: Lane, now: number): string {
  const name = lane.here ? "This tab" : `Tab ${lane.id}`;
  const token = tokenSpans(lane.entries).at(-1);
  const use = token && token.to === undefined ? `${titleOf(token)}, ${token.how} ${span(now - token.from)} ago` : "no token";
  const silent = !lane.here && now - lane.heardAt > SILENT;
  return `${name}: ${lane.closed ? "closed" : silent ? "does not answer" : use}.`;
}

const titleOf = ({ number }: TokenSpan) => (number === undefined ? "a token" : `token ${number}`);

interface Place {
  readonly x: (instant: number) => number;
  readonly from: number;
  readonly now: number;
}

function shapes({ entries, closed, heardAt }: Lane, { x, from, now }: Place): SVGElement[] {
  const end = closed ? heardAt : now;
  const tokens = tokenSpans(entries).filter(({ to = end }) => to >= from);
  const refreshes = refreshSpans(entries).filter(({ to = end }) => to >= from);
  const marks = entries.filter(({ at }) => at >= from);
  return [
    ...tokens.flatMap((token) => tokenShapes(token, x, end, closed)),
    ...refreshes.flatMap((refresh) => refreshShapes(refresh, x, end)),
    ...tokens.filter((token) => token.from >= from).map((token) => arrival(token, x)),
    ...marks.flatMap((entry) => mark(entry, x(entry.at))),
  ];
}

function tokenShapes({ number, from, to, expiresAt, dueAt }: TokenSpan, x: Place["x"], end: number, closed: boolean): SVGElement[] {
  const box = { y: 18, height: BAR, rx: 3, x: x(from), width: Math.max(2, x(to ?? end) - x(from)) };
  const found: SVGElement[] = [];
  const inUse = to === undefined && !closed;
  // A faint bar shows the rest of the token's life.
  if (inUse && expiresAt !== undefined) found.push(draw("rect", { ...box, class: "life", width: Math.max(2, x(expiresAt) - x(from)) }));
  found.push(draw("rect", { ...box, class: (number ?? 0) % 2 ? "token odd" : "token" }));
  if (number !== undefined && box.width > 24) found.push(draw("text", { class: "number", x: box.x + 10, y: 28 }, String(number)));
  if (inUse && dueAt !== undefined && dueAt > end)
    found.push(draw("path", { class: "due", d: `M${x(dueAt)} 16v16` }, title("the next refresh", dueAt)));
  return found;
}

function refreshShapes({ wanted, sent, to, outcome = "under way" }: RefreshSpan, x: Place["x"], end: number): SVGElement[] {
  const until = x(to ?? end);
  const start = x(sent ?? to ?? end);
  const failed = !["refreshed", "adopted", "under way"].includes(outcome) ? " failed" : "";
  const words = title(`wanted, ${outcome}`, wanted);
  const found: SVGElement[] = [
    draw("line", { class: `wait${failed}`, x1: x(wanted), x2: Math.max(start, x(wanted) + 2), y1: 24, y2: 24 }, words),
  ];
  if (sent !== undefined)
    found.push(
      draw("rect", { class: `held${failed}`, x: start, y: 16, width: Math.max(2, until - start), height: BAR + 4 }, title(outcome, sent)),
    );
  return found;
}

/** The circle's class says how the token came: by a refresh of this tab, by a refresh of another tab, or by a sign-in. */
function arrival(token: TokenSpan, x: Place["x"]): SVGElement {
  const words = title(`${titleOf(token)}, ${token.how}`, token.from);
  return draw("circle", { class: `arrival ${token.how.replace(" ", "-")}`, cx: x(token.from), cy: 24, r: 4 }, words);
}

function mark({ of, name, at, details }: Entry, x: number): SVGElement[] {
  if (of === "event" && name === "signed-out")
    return [draw("rect", { class: "end", x: x - 2, y: 14, width: 4, height: 20 }, title(`signed out: ${details.reason}`, at))];
  if (of === "event" && name === "refresh-failed")
    return [draw("path", { class: "cross", d: `M${x - 4} 20l8 8m0 -8l-8 8` }, title(`failed: ${details.code}`, at))];
  if (name === "request-resent")
    return [draw("path", { class: "resent", d: `M${x - 4} 37l4 -6l4 6z` }, title("a call was sent again", at))];
  return [];
}

const title = (words: string, at: number) => draw("title", {}, `${clockTime(at)} ${words}`);
