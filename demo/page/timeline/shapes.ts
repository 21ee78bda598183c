import { draw } from "../dom.js";
import { isStill, type Lane, lastOf } from "../tabs/lane.js";
import { refreshSpans, type TokenSpan, tokenSpans } from "./spans.js";

/** The shapes of a lane. The timeline shows `life` over its whole length, and `past` only up to now. */
export interface Shapes {
  readonly life: SVGElement[];
  readonly past: SVGElement[];
}

export interface Place {
  /** The middle of the lane. */
  readonly y: number;
  /** Half of the bar's height. */
  readonly half: number;
  /** The x coordinate of an instant, in the moving part. */
  readonly x: (instant: number) => number;
  readonly now: number;
  readonly from: number;
}

export function shapesOf(lane: Lane, place: Place): Shapes {
  const { from, now, x, y, half } = place;
  const life: SVGElement[] = [];
  const past: SVGElement[] = [];
  const tokens = tokenSpans(lane);
  for (const span of tokens) {
    const end = span.to ?? span.expiresAt ?? now + 3_600_000;
    if (end < from) continue;
    const bar = barShapes(span, end, place);
    life.push(...bar.life);
    past.push(...bar.past);
    if (span.to === undefined) life.push(...planShapes(span, lastOf(lane, "token", "plan")?.dueAt ?? null, place));
  }
  for (const entry of lane.entries) {
    if (entry.at < from) continue;
    const at = x(entry.at);
    if (entry.kind === "call") past.push(callMark(at, entry.status, entry.resent, place));
    else if (entry.kind === "failed") past.push(cross(at, y, half, `${entry.code}${entry.status === null ? "" : ` ${entry.status}`}`));
    else if (entry.kind === "away") {
      const start = x(entry.from);
      const awayFor = at - start;
      past.push(draw("rect", { class: "away", x: start, y: y - half - 6, width: awayFor, height: 2 * half + 12 }));
      if (awayFor > 44) past.push(draw("text", { class: "word", x: start + 5, y: y + 4 }, entry.why));
    } else if (entry.kind === "signed out") {
      past.push(
        draw("rect", { class: `end ${entry.reason === "user" ? "" : "bad"}`, x: at - 2, y: y - half - 5, width: 4, height: 2 * half + 10 }),
      );
      past.push(draw("text", { class: "word", x: at + 7, y: y + 4 }, `signed out: ${entry.reason}`));
    } else if (entry.kind === "user" || entry.kind === "note") {
      const text = entry.kind === "user" ? `${entry.before.split(" ")[0]} → ${entry.after.split(" ")[0]}` : entry.text;
      past.push(draw("text", { class: "word strong", x: at + 3, y: y - half - 4 }, text));
    }
  }
  for (const { wanted, sent, to = now } of refreshSpans(lane)) {
    if (to < from) continue;
    const finish = x(to);
    past.push(draw("line", { class: "waiting", x1: x(wanted), x2: Math.max(finish, x(wanted) + 1), y1: y, y2: y }));
    if (sent !== undefined)
      past.push(
        draw("rect", { class: "holding", x: x(sent), y: y - half - 2, width: Math.max(finish - x(sent), 2), height: 2 * half + 4, rx: 3 }),
      );
  }
  for (const span of tokens) if (span.from >= from) past.push(arrival(span, place));
  if (isStill(lane, now)) {
    past.push(draw("rect", { class: "away", x: x(lane.heardAt), y: y - half - 6, width: x(now) - x(lane.heardAt), height: 2 * half + 12 }));
  }
  return { life, past };
}

function barShapes({ number, from }: TokenSpan, end: number, { x, y, half }: Place): Shapes {
  const hue = `token hue-${number % 2}`;
  const box = { x: x(from), y: y - half, width: Math.max(x(end) - x(from), 2), height: 2 * half, rx: Math.min(4, half) };
  const past: SVGElement[] = [draw("rect", { class: hue, ...box })];
  if (box.width > 26) past.push(draw("text", { class: "number", x: box.x + 12, y: y + 4 }, String(number)));
  return { life: [draw("rect", { class: `${hue} faint`, ...box })], past };
}

/** The range in which the next refresh may be due, and the instant at which it is due. */
function planShapes({ from, window }: TokenSpan, dueAt: number | null, { x, y, half, now }: Place): SVGElement[] {
  const found: SVGElement[] = [];
  if (window && window[1] > now) {
    const start = x(Math.max(window[0], from));
    const width = Math.max(x(window[1]) - start, 2);
    found.push(draw("rect", { class: "window", x: start, y: y - half - 5, width, height: 2 * half + 10, rx: 3 }));
  }
  if (dueAt !== null && dueAt > now - 1000) {
    const at = x(dueAt);
    found.push(draw("path", { class: "due", d: `M${at} ${y - half - 5}v${2 * half + 10}M${at - 4} ${y - half - 9}h8l-4 5z` }));
  }
  return found;
}

/** The circle's class says how the token came: by a refresh of this tab, by a refresh of another tab, or by a sign-in. */
function arrival({ from, how }: TokenSpan, { x, y, half }: Place): SVGElement {
  const place = { cx: x(from), cy: y };
  if (how === "asked") return draw("circle", { class: "asked", ...place, r: Math.min(6, half + 1) });
  return draw("circle", { class: how === "adopted" ? "adopted" : "began", ...place, r: Math.min(4.5, half) });
}

function callMark(at: number, status: number, resent: boolean, { y, half }: Place): SVGElement {
  const top = y + half + 3;
  if (status >= 200 && status < 300 && !resent) return draw("line", { class: "call", x1: at, x2: at, y1: top, y2: top + 4 });
  const mark = resent && status < 300 ? "resent" : "refused";
  return draw("path", { class: mark, d: `M${at - 4} ${top + 6}h8l-4 -7z` });
}

function cross(at: number, y: number, half: number, title: string): SVGElement {
  const size = Math.min(5, half);
  const path = draw("path", {
    class: "failed",
    d: `M${at - size} ${y - size}l${2 * size} ${2 * size}m0 ${-2 * size}l${-2 * size} ${2 * size}`,
  });
  path.append(draw("title", {}, title));
  return path;
}
