/** An event of a tab's session, one of the session's decisions (`debug`), or a request of the page. An entry never holds a token. */
export interface Entry {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly of: (typeof KINDS)[number];
  readonly name: string;
  readonly details: Readonly<Record<string, Detail>>;
}

export type Detail = string | number | boolean | null;

export const KINDS = ["event", "decision", "request"] as const;

const MOST_DETAILS = 12;
const LONGEST_TEXT = 120;
/** A Date cannot hold an instant beyond this one. */
const LAST_INSTANT = 8.64e15;

/**
 * Replaces each part of the text that looks like a token by `…`: 20 characters of a token or more without a break, and the parts that
 * dots join to them.
 */
export const redact = (text: string): string =>
  text
    .slice(0, 4 * LONGEST_TEXT)
    .replace(/[\w~+=-]{20,}(\.[\w~+=-]*)*/g, "…")
    .slice(0, LONGEST_TEXT);

/** The path of a request, without query, fragment and credentials. Another origin than the page's own stands before the path. */
export function redactUrl(url: string, base: string): string {
  const { origin, pathname } = new URL(url, base);
  return (origin === new URL(base).origin ? "" : origin) + redact(pathname);
}

/** Keeps the numbers, booleans and short words of `details`. The entry has no claims, errors or tokens. */
export function makeEntry(at: number, of: Entry["of"], name: string, details: object): Entry {
  const kept = Object.entries(details).flatMap(([key, value]): [string, Detail][] => {
    if (typeof value === "string") return [[redact(key), redact(value)]];
    return value === null || typeof value === "boolean" || Number.isFinite(value) ? [[redact(key), value as Detail]] : [];
  });
  return { at, of, name: redact(name), details: Object.fromEntries(kept.slice(0, MOST_DETAILS)) };
}

/** Reads an entry that another page sent. Returns undefined when the value is no entry. */
export function parseEntry(value: unknown): Entry | undefined {
  const { at, of, name, details } = (value ?? {}) as Partial<Record<keyof Entry, unknown>>;
  const known = KINDS.find((kind) => kind === of);
  if (!known || !isInstant(at) || typeof name !== "string" || typeof details !== "object" || details === null) return undefined;
  return makeEntry(at, known, name, details);
}

export const isInstant = (value: unknown): value is number => typeof value === "number" && Math.abs(value) <= LAST_INSTANT;
