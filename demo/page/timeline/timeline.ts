import { draw, element, inSeconds, make, setText } from "../dom.js";
import { framed } from "../place.js";
import { isStill, type Lane, lastOf, titleOf, tokenOf } from "../tabs/lane.js";
import { lanes } from "../tabs/lanes.js";
import { lifetimeOf, type Scale, scaleFor, ticksOf } from "./scale.js";
import { shapesOf } from "./shapes.js";

const ROW = framed ? 24 : 50;
const HALF = framed ? 5 : 9;
const AXIS = framed ? 0 : 24;
/** The timeline has room for so many lanes from the start, so that the page does not jump when the first tabs come. */
const ROOM = framed ? 1 : 3;
/** Milliseconds between two drawings without a new entry. */
const REDRAW = framed ? 1000 : 250;

const still = matchMedia("(prefers-reduced-motion: reduce)");

/** Shows one lane for each tab. The shapes move in each frame; a new entry draws them anew. */
export function showTimeline(): void {
  const svg = element<SVGSVGElement>("timeline");
  const labels = element("lanes");
  const life = draw("g");
  const past = draw("g");
  const links = draw("g");
  const fixed = draw("g");
  const clip = draw("rect", { x: 0, y: 0, height: 4000 });
  const hatch = draw("pattern", { id: "hatch", width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
  hatch.append(draw("rect", { width: 7, height: 7, class: "hatch-ground" }), draw("rect", { width: 2.5, height: 7, class: "hatch-line" }));
  const shown = draw("g", { "clip-path": "url(#until-now)" }, links, past);
  svg.replaceChildren(draw("defs", {}, draw("clipPath", { id: "until-now" }, clip), hatch), fixed, life, shown);

  let scale: Scale = scaleFor(1, 1);
  /** The instant that the moving part shows at `nowX`. */
  let origin = 0;
  let drawnAt = 0;
  let dirty = true;

  function redraw(): void {
    const now = Date.now();
    const all = lanes.all().filter(({ head }) => head.number > 0);
    const width = svg.clientWidth;
    if (width === 0) return;
    const height = Math.max(all.length, ROOM) * ROW + AXIS;
    scale = scaleFor(width, lifetimeOf(all));
    origin = now;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.style.height = `${height}px`;
    clip.setAttribute("width", String(scale.nowX));
    const x = (instant: number) => scale.nowX + (instant - origin) * scale.perMs;
    const from = now - (scale.nowX + 60) / scale.perMs;
    const rows = all.map((_, index) => AXIS + index * ROW + ROW / 2);
    const shapes = all.map((lane, index) => shapesOf(lane, { y: rows[index] as number, half: HALF, x, now, from }));
    life.replaceChildren(...shapes.flatMap((shape) => shape.life));
    past.replaceChildren(...shapes.flatMap((shape) => shape.past));
    links.replaceChildren(...linksOf(all, rows, x, from));
    fixed.replaceChildren(...frameOf(scale, height, rows));
    label(labels, all, now);
    drawnAt = now;
    dirty = false;
  }

  function frame(): void {
    const now = Date.now();
    const every = still.matches ? 1000 : REDRAW;
    if ((dirty && now - drawnAt > 60) || now - drawnAt > every) redraw();
    // With "reduced motion", the shapes stand still between two drawings.
    else if (!still.matches) {
      const moved = `translate(${-(now - origin) * scale.perMs} 0)`;
      for (const group of [life, past, links]) group.setAttribute("transform", moved);
      return void requestAnimationFrame(frame);
    }
    for (const group of [life, past, links]) group.removeAttribute("transform");
    requestAnimationFrame(frame);
  }

  lanes.onChange(() => {
    dirty = true;
  });
  new ResizeObserver(() => redraw()).observe(svg);
  requestAnimationFrame(frame);
}

/** Lines from a tab that asked for a token to the tabs that adopted the token. */
function linksOf(all: Lane[], rows: number[], x: (instant: number) => number, from: number): SVGElement[] {
  const found: SVGElement[] = [];
  const asked = new Map<number, { at: number; row: number }>();
  const tokens = all.flatMap((lane, index) =>
    lane.entries.flatMap((entry) => (entry.kind === "token" && entry.at >= from ? [{ entry, row: rows[index] as number }] : [])),
  );
  for (const { entry, row } of tokens) if (entry.how === "asked") asked.set(entry.number, { at: entry.at, row });
  for (const { entry, row } of tokens) {
    const source = asked.get(entry.number);
    if (entry.how !== "adopted" || !source || Math.abs(entry.at - source.at) > 5000) continue;
    found.push(draw("path", { class: "link", d: `M${x(source.at)} ${source.row}L${x(entry.at)} ${row}` }));
  }
  return found;
}

function frameOf(scale: Scale, height: number, rows: number[]): SVGElement[] {
  const { nowX, width } = scale;
  const parts: SVGElement[] = rows
    .slice(1)
    .map((row) => draw("line", { class: "rule", x1: 0, x2: width, y1: row - ROW / 2, y2: row - ROW / 2 }));
  if (AXIS > 0) {
    parts.push(draw("text", { class: "axis now", x: nowX, y: 14, "text-anchor": "middle" }, "now"));
    for (const { x, label } of ticksOf(scale)) parts.push(draw("text", { class: "axis", x, y: 14, "text-anchor": "middle" }, label));
  }
  parts.push(draw("line", { class: "now-line", x1: nowX, x2: nowX, y1: AXIS, y2: height }));
  return parts;
}

/** Writes the lanes' names, and the state of each tab in words. */
function label(list: HTMLElement, all: Lane[], now: number): void {
  while (list.children.length > all.length) list.lastElementChild?.remove();
  while (list.children.length < all.length) list.append(make("li", {}, make("b"), make("span")));
  list.style.paddingTop = `${AXIS}px`;
  for (const [index, lane] of all.entries()) {
    const item = list.children[index] as HTMLElement;
    item.className = lane.here ? "here" : lane.closedAt === null ? "" : "closed";
    setText(item.children[0] as Element, framed ? String(lane.head.number) : titleOf(lane));
    if (!framed) setText(item.children[1] as Element, stateOf(lane, now));
  }
}

function stateOf(lane: Lane, now: number): string {
  if (lane.closedAt !== null) return "closed";
  if (isStill(lane, now)) return "stands still";
  const where = lane.here ? "this tab" : lane.head.framed ? "embedded" : "";
  const token = tokenOf(lane);
  if (!token) return lastOf(lane, "signed out") ? "signed out" : where || "–";
  return token.expiresAt !== null && token.expiresAt < now
    ? `expired ${inSeconds(now - token.expiresAt)}`
    : where || `token ${token.number}`;
}
