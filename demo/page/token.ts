import { element, setText } from "./dom.js";
import { session } from "./session.js";

const bar = element("token");
const remaining = element("remaining");
const due = element("due");
const refreshIn = element("refresh-in");
const expiresIn = element("expires-in");

/** Draws where the token is in its life, four times a second. */
export function showToken(): void {
  draw();
  setInterval(draw, 250);
}

function draw(): void {
  const { status, expiresAt, refreshDueAt, claims } = session.getSnapshot();
  bar.hidden = status !== "signed-in";
  if (bar.hidden || expiresAt === null || claims === null) return;
  const lifetime = (claims.exp - claims.iat) * 1000;
  const now = Date.now();
  /** What is left at an instant, from 1 (just issued) to 0 (expired). */
  const left = (at: number) => Math.min(1, Math.max(0, (expiresAt - at) / lifetime));
  remaining.style.scale = `${left(now)} 1`;
  due.hidden = refreshDueAt === null || refreshDueAt > expiresAt;
  if (refreshDueAt !== null) due.style.left = `${left(refreshDueAt) * 100}%`;
  setText(refreshIn, refreshDueAt === null ? "not planned" : refreshDueAt > now ? inSeconds(refreshDueAt - now) : "now");
  setText(expiresIn, expiresAt > now ? inSeconds(expiresAt - now) : `${Math.floor((now - expiresAt) / 1000)} s ago`);
}

const inSeconds = (milliseconds: number) => `in ${Math.ceil(milliseconds / 1000)} s`;
