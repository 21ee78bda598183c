import { inspect } from "node:util";
import { expect } from "vitest";
import type { Grants } from "../../src/testing/grants.js";

/** Everything that can be read off a value: own members, errors with their causes and stacks, maps, buffers as text. */
function everythingIn(value: unknown): string {
  return inspect(value, {
    depth: Number.POSITIVE_INFINITY,
    showHidden: true,
    maxArrayLength: null,
    maxStringLength: null,
    breakLength: Number.POSITIVE_INFINITY,
  });
}

/**
 * Fails when a token of the server shows up in `value`. The message names the place, never the token: it would end up in a log itself.
 * A JWT also counts as leaked when its signature alone is there.
 */
export function expectNoSecret(secrets: Iterable<string>, value: unknown, place: string): void {
  const text = everythingIn(value);
  const leaked = [...secrets].some((secret) => text.includes(secret) || text.includes(secret.split(".")[2] ?? secret));
  expect(leaked, `a token shows up in ${place}`).toBe(false);
}

/** What goes between tabs: never a refresh token; an access token only where the user wants it shared. */
export function expectNoSecretOnAir(grants: Grants, posted: unknown, { accessTokenShared = false } = {}): void {
  expectNoSecret(accessTokenShared ? grants.refreshSecrets : grants.secrets, posted, "a broadcast");
}
