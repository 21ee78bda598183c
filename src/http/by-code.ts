import type { ClassifyInput, Verdict } from "../types.js";

export interface ByCodeOptions {
  /** Codes that ask for a new token: renew, and send again. */
  refresh: readonly (string | number)[];
  /** Codes that end the session. @default none */
  signOut?: readonly (string | number)[];
  /** The member of the JSON body that has the code, or a path such as `"error.code"`. @default "code" */
  field?: string;
  /** A response header that has it instead; across origins the API must expose it. @default none */
  header?: string;
}

/**
 * A `classify` for an API that says by a code what is wrong with the token. Only answers of 400 and above are looked at. A code that is in
 * neither list means nothing; without any code, a 401 is `"refresh"`.
 *
 * @throws {TypeError} when a list of codes is none.
 */
export function byCode({ refresh, signOut = [], field = "code", header }: ByCodeOptions): (input: ClassifyInput) => Promise<Verdict> {
  if (!Array.isArray(refresh) || !Array.isArray(signOut)) throw new TypeError("byCode: refresh and signOut must be arrays of codes");
  const renews = refresh.map(String);
  const ends = signOut.map(String);

  return async ({ response }) => {
    if (!response || response.status < 400) return "ok";
    const code = (header && response.headers.get(header)) || (await codeIn(response, field));
    if (code == null) return response.status === 401 ? "refresh" : "ok";
    return ends.includes(String(code)) ? "sign-out" : renews.includes(String(code)) ? "refresh" : "ok";
  };
}

/** Undefined where the body is no JSON, or does not have it. */
async function codeIn(response: Response, path: string): Promise<unknown> {
  const body: unknown = await response.json().catch(() => undefined);
  return path.split(".").reduce((value, name) => (value as Record<string, unknown> | null | undefined)?.[name], body);
}
