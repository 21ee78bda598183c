import { assertKnown } from "../errors.js";
import type { ClassifyInput, Verdict } from "../types/index.js";

export interface ByCodeOptions {
  /** Codes after which the session renews and sends again. A number equals its text. */
  refresh: readonly (string | number)[];
  /** Codes that end the session. @default none */
  signOut?: readonly (string | number)[];
  /** The member with the code in the JSON body, or a path such as `"error.code"`. @default "code" */
  field?: string;
  /**
   * A response header with the code; across origins the API must expose it (`Access-Control-Expose-Headers`). The code of `"www-authenticate"`
   * is the `error` of its first `Bearer` challenge that has one (RFC 6750 §3). Without a code in the header, the body is read. @default none
   */
  header?: string;
}

/**
 * Makes a `classify` for an API whose answers have a code for the problem of the token. It reads answers of 400 and above only. A code that is
 * in neither list is `"ok"`. An answer without a code is `"refresh"` if it is a 401.
 *
 * @throws {TypeError} when `refresh` or `signOut` is not an array, and for an unknown option.
 */
export function byCode(options: ByCodeOptions): (input: ClassifyInput) => Promise<Verdict> {
  const { refresh, signOut = [], field = "code", header } = options;
  assertKnown("byCode", options, { refresh, signOut, field, header });
  if (!Array.isArray(refresh) || !Array.isArray(signOut)) throw new TypeError("byCode: refresh and signOut must be arrays of codes");
  const renews = refresh.map(String);
  const ends = signOut.map(String);

  return async ({ response }) => {
    if (!response || response.status < 400) return "ok";
    const told = header && response.headers.get(header);
    const code = (told && (/^www-authenticate$/i.test(header) ? challengeIn(told) : told)) || (await codeIn(response, field));
    if (code == null) return response.status === 401 ? "refresh" : "ok";
    return ends.includes(String(code)) ? "sign-out" : renews.includes(String(code)) ? "refresh" : "ok";
  };
}

/** The `error` of the first `Bearer` challenge that has one. A word without a value names a scheme (RFC 9110 §11.6.1). */
function challengeIn(header: string): string | undefined {
  let scheme = "";
  for (const [, name = "", quoted, bare] of header.matchAll(/([^\s,="]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/g)) {
    const value = bare ?? quoted?.replace(/\\(.)/g, "$1");
    if (value === undefined) scheme = name.toLowerCase();
    else if (scheme === "bearer" && name.toLowerCase() === "error") return value;
  }
  return undefined;
}

/** The code in the body. It is undefined when the body is not JSON, or has no such member. */
async function codeIn(response: Response, path: string): Promise<unknown> {
  const body: unknown = await response.json().catch(() => undefined);
  return path.split(".").reduce((value, name) => (value as Record<string, unknown> | null | undefined)?.[name], body);
}
