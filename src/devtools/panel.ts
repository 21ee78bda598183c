import type { Session } from "../types/index.js";
import { draw, make } from "./dom.js";
import { type Entry, KINDS } from "./entry.js";
import { createLanes } from "./lanes.js";
import { logRows } from "./log.js";
import { recordRequests, recordSession } from "./recorder.js";
import { style } from "./style.js";
import { span } from "./time.js";
import { drawTimeline } from "./timeline.js";

export interface DevtoolsOptions {
  /** The element to which the panel is added. @default the page's body; the panel then floats in a corner above the page */
  parent?: ParentNode & Node;
  /** The session's `name`. Panels with the same name show each other's tabs. @default "default" */
  name?: string;
  /** Whether the panel is open after mounting. @default false */
  open?: boolean;
}

/** Milliseconds between two drawings of an open panel. */
const TICK = 1000;
/** The panel asks the other tabs for a sign of life once in so many ticks. */
const ASK_EVERY = 5;
/** Milliseconds. The panel draws all changes within this time together. */
const SOON = 50;
const WINDOWS = { "1 min": 60_000, "5 min": 300_000, "30 min": 1_800_000, "3 h": 10_800_000 };

/**
 * Adds a panel to the page. The panel shows the tabs of the session that have a panel: tokens and refreshes on a timeline, and a log of
 * events, decisions and requests. The panel keeps the last 500 entries of each kind for each tab, and
 * shows 20 tabs and 200 rows of the log at most.
 *
 * Neither the panel nor the messages between panels hold a token or a claim. Without a `document`, as on a server, the function does
 * nothing. It has no errors of its own; a browser without constructible stylesheets throws a `TypeError`.
 *
 * @returns a function that removes the panel with its listeners, timers and channel. A second call does nothing.
 */
export function mountDevtools(session: Session<object>, { parent, name = "default", open = false }: DevtoolsOptions = {}): () => void {
  if (typeof document === "undefined") return () => {};
  const host = make("div", { "data-tokentide-devtools": name });
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  root.adoptedStyleSheets = [sheet];

  const status = make("p");
  const svg = draw("svg", { role: "img" });
  const rows = make("tbody");
  const windows = make("select", {}, ...Object.entries(WINDOWS).map(([label, value]) => make("option", { value }, label)));
  windows.value = String(WINDOWS["5 min"]);
  const shown = new Set<Entry["of"]>(KINDS);
  const clear = make("button", { type: "button" }, "Clear");
  const head = make(
    "thead",
    {},
    make("tr", {}, ...["Time", "Tab", "What", "Details"].map((column) => make("th", { scope: "col" }, column))),
  );
  const section = make(
    "section",
    { id: "panel", "aria-label": "tokentide devtools" },
    make("header", {}, status, make("label", {}, "Show ", windows), ...KINDS.map(filter), clear),
    make("div", { class: "lanes" }, svg),
    make("div", { class: "log", role: "region", "aria-label": "Log", tabindex: 0 }, make("table", {}, head, rows)),
  );
  const toggle = make("button", { type: "button", "aria-controls": "panel" });
  root.append(make("div", parent ? {} : { class: "floating" }, section, toggle));

  let planned: ReturnType<typeof setTimeout> | undefined;
  let ticks: ReturnType<typeof setInterval> | undefined;

  function filter(kind: Entry["of"]): HTMLLabelElement {
    const box = make("input", { type: "checkbox" });
    box.checked = true;
    box.addEventListener("change", () => {
      if (!box.checked) shown.delete(kind);
      else shown.add(kind);
      changed();
    });
    return make("label", {}, box, `${kind}s`);
  }

  /** Only a change draws the log anew: a reader would lose the selection and the scroll position. */
  function changed(): void {
    planned ??= setTimeout(() => {
      planned = undefined;
      if (section.hidden) return;
      rows.replaceChildren(...logRows(lanes.all(), shown));
      drawNow();
    }, SOON);
  }

  function drawNow(): void {
    const now = Date.now();
    status.textContent = sentence(session, now);
    drawTimeline(svg, lanes.all(), Number(windows.value), now);
  }

  function label(): void {
    const { status, degraded } = session.getSnapshot();
    toggle.textContent = `tokentide: ${status.replace("-", " ")}${degraded ? ", renewal fails" : ""}`;
  }

  function show(visible: boolean): void {
    section.hidden = !visible;
    toggle.setAttribute("aria-expanded", String(visible));
    clearInterval(ticks);
    if (!visible) return;
    let count = 0;
    ticks = setInterval(() => {
      if (++count % ASK_EVERY === 0) lanes.ask();
      drawNow();
    }, TICK);
    lanes.ask();
    changed();
  }

  const lanes = createLanes(name, changed);
  const undo = [recordSession(session, lanes.write), recordRequests(lanes.write), session.subscribe(label), lanes.close];
  toggle.addEventListener("click", () => show(section.hidden));
  windows.addEventListener("change", drawNow);
  clear.addEventListener("click", lanes.clear);
  section.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    show(false);
    toggle.focus();
  });
  label();
  show(open);
  (parent ?? document.body ?? document.documentElement).append(host);
  return () => {
    for (const stop of undo) stop();
    clearTimeout(planned);
    clearInterval(ticks);
    host.remove();
  };
}

function sentence(session: Session<object>, now: number): string {
  const { status, expiresAt, refreshDueAt, degraded, reason } = session.getSnapshot();
  if (status !== "signed-in") return `${status.replace("-", " ")}${reason ? `: ${reason}` : ""}`;
  const parts = ["signed in"];
  if (expiresAt !== null)
    parts.push(expiresAt > now ? `the token expires in ${span(expiresAt - now)}` : `the token expired ${span(now - expiresAt)} ago`);
  if (refreshDueAt !== null) parts.push(`the next refresh is due in ${span(refreshDueAt - now)}`);
  if (degraded) parts.push("the last refresh failed");
  return parts.join(", ");
}
