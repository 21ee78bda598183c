/** What happened in one tab: an event of the session, one of its decisions (`debug`), or a request of the page. Numbers and short words, never a token. */
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
/** Within what a Date can hold. */
const LAST_INSTANT = 8.64e15;

/** Whatever looks like a token is left out, wherever it came from: 20 characters of one without a break, and what hangs on them by dots. */
export const redact = (text: string): string =>
  text
    .slice(0, 4 * LONGEST_TEXT)
    .replace(/[\w~+=-]{20,}(\.[\w~+=-]*)*/g, "…")
    .slice(0, LONGEST_TEXT);

/** Where a request went: without query, fragment and credentials, and with the origin only where that is another one. */
export function redactUrl(url: string, base: string): string {
  const { origin, pathname } = new URL(url, base);
  return (origin === new URL(base).origin ? "" : origin) + redact(pathname);
}

/** Leaves of `details` what is a number or a short word; claims, errors and tokens are not. */
export function makeEntry(at: number, of: Entry["of"], name: string, details: object): Entry {
  const kept = Object.entries(details).flatMap(([key, value]): [string, Detail][] => {
    if (typeof value === "string") return [[redact(key), redact(value)]];
    return value === null || typeof value === "boolean" || Number.isFinite(value) ? [[redact(key), value as Detail]] : [];
  });
  return { at, of, name: redact(name), details: Object.fromEntries(kept.slice(0, MOST_DETAILS)) };
}

/** What another page says that happened there, if it is an entry at all. */
export function parseEntry(value: unknown): Entry | undefined {
  const { at, of, name, details } = (value ?? {}) as Partial<Record<keyof Entry, unknown>>;
  const known = KINDS.find((kind) => kind === of);
  if (!known || !isInstant(at) || typeof name !== "string" || typeof details !== "object" || details === null) return undefined;
  return makeEntry(at, known, name, details);
}

export const isInstant = (value: unknown): value is number => typeof value === "number" && Math.abs(value) <= LAST_INSTANT;
