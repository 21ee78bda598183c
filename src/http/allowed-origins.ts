import type { Environment } from "../types/environment.js";

/**
 * The part of an absolute address that decides on its origin. The parser removes tabs and line breaks, so an address with one of them there is
 * always parsed whole.
 */
export const AUTHORITY = /^https?:\/\/[^/\\?#\s\p{Cc}]+(?=[/\\?#]|$)/u;

/**
 * Makes a function that returns the absolute address if its origin is allowed. It compares the parsed origin: `https://api.example.com.evil.test`
 * only begins like an allowed origin. A `blob:` URL has the origin of the page that made it, so the scheme counts, too.
 */
export function originCheck(
  environment: Pick<Environment, "baseUrl" | "origin">,
  allowedOrigins: ReadonlySet<string>,
): (address: string) => string | undefined {
  /** The last allowed authority, as it was written, so that the next call parses nothing. */
  let known: string | undefined;

  return (address) => {
    const authority = AUTHORITY.exec(address)?.[0];
    if (authority && authority === known) return address;
    try {
      const { protocol, origin, href } = new URL(address, environment.baseUrl ?? environment.origin);
      if (!/^https?:$/.test(protocol) || !allowedOrigins.has(origin)) return undefined;
      known = authority ?? known;
      return authority ? address : href;
    } catch {
      // The address is no URL, and `fetch` has the best error for that.
      return undefined;
    }
  };
}
