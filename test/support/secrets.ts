import { expect } from "vitest";
import type { Grants } from "../../src/testing/grants.js";

/** So many objects are enough for all that an app is handed; whatever has more has got hold of something that it should not have. */
const MOST = 200_000;

/** Every text that can be got out of a value, hidden or not: the names and values of members, what getters give, entries, buffers. */
function* textsIn(value: unknown): Generator<string> {
  const seen = new Set<object>();
  const line: unknown[] = [value];
  while (line.length > 0) {
    const next = line.pop();
    if (typeof next === "string") yield next;
    else if (typeof next === "symbol") yield String(next);
    if (next === null || (typeof next !== "object" && typeof next !== "function") || seen.has(next)) continue;
    seen.add(next);
    if (seen.size > MOST) throw new Error("too much to look through");
    if (ArrayBuffer.isView(next)) yield Buffer.from(next.buffer, next.byteOffset, next.byteLength).toString("latin1");
    else if (next instanceof ArrayBuffer || next instanceof SharedArrayBuffer) yield Buffer.from(next).toString("latin1");
    else for (const part of [entriesOf(next), membersOf(next)].flat()) line.push(part);
  }
}

/** What `Headers`, a `Map`, a form and their like hold can be had by walking them alone. Streams and what is made of code are left alone. */
function entriesOf(value: object): unknown[] {
  if (Array.isArray(value) || typeof (value as { forEach?: unknown }).forEach !== "function") return [];
  try {
    return [...(value as Iterable<unknown>)].flat();
  } catch {
    return [];
  }
}

/** Own members, hidden ones and symbols too, and what the getters of all its prototypes give. */
function membersOf(value: object): unknown[] {
  const found: unknown[] = [];
  for (let owner: object | null = value; owner && !ROOTS.has(owner); owner = Object.getPrototypeOf(owner)) {
    for (const key of Reflect.ownKeys(owner)) {
      const { get, value: member } = Reflect.getOwnPropertyDescriptor(owner, key) ?? {};
      // A method of a class, and the way back from a prototype to it, belong to the code.
      if (owner !== value && !get && typeof member === "function") continue;
      found.push(key, get ? read(value, get) : member);
    }
  }
  return found;
}

const ROOTS = new Set<object>([Object.prototype, Function.prototype, Array.prototype, globalThis]);

function read(value: object, get: () => unknown): unknown {
  try {
    const found = get.call(value);
    // On a prototype itself, such a getter rejects.
    if (found instanceof Promise) found.catch(() => {});
    return found;
  } catch {
    return undefined;
  }
}

/**
 * Fails when a token of the server shows up in `value`. The message names the place, never the token: it would end up in a log itself.
 * A JWT also counts as leaked when its signature alone is there.
 */
export function expectNoSecret(secrets: Iterable<string>, value: unknown, place: string): void {
  const needles = [...secrets].flatMap((secret) => [secret, secret.split(".")[2] ?? secret]);
  for (const text of textsIn(value)) {
    if (needles.some((needle) => text.includes(needle))) expect.fail(`a token shows up in ${place}`);
  }
}

/** What goes between tabs: never a refresh token; an access token only where the user wants it shared. */
export function expectNoSecretOnAir(grants: Grants, posted: unknown, { accessTokenShared = false } = {}): void {
  expectNoSecret(accessTokenShared ? grants.refreshSecrets : grants.secrets, posted, "a broadcast");
}
