import { acceptRenewal } from "../ledger/transitions/index.js";
import { parseTokens } from "../token/parse.js";
import type { RenewalHeader } from "../types/index.js";
import type { SessionContext } from "./context.js";
import type { Credential } from "./view.js";

/** The members of a `renewalHeader` that only a session uses. */
export interface RenewalPlugin extends RenewalHeader {
  readonly option: "renewalHeader";
  /** Returns a function that reads an answer of an allowed origin. `sent`: the credential of its request. */
  connect(context: SessionContext): (response: Response, sent: Credential) => void;
}

/**
 * Makes the option `renewalHeader`: the session reads a newer access token from that response header of an API, bare or after `Bearer`. It
 * then uses the token in all tabs.
 *
 * The session reads the header of allowed origins only. Across origins, the API must expose it (`Access-Control-Expose-Headers`). The token
 * must be of the same user, and must expire later than the present one; without an expiry in both, its request must have sent the present one.
 * While a refresh is under way, the session ignores the header.
 *
 * @param name - The name of the header, such as `"x-renewed-token"`, in upper or lower case.
 * @throws {TypeError} when the name is no name of a header.
 */
export function renewalHeader(name: string): RenewalHeader {
  // The characters of a field name (RFC 9110 §5.6.2).
  if (typeof name !== "string" || !/^[\w!#$%&'*+.^`|~-]+$/.test(name))
    throw new TypeError("renewalHeader: name must be the name of a header");
  const plugin: RenewalPlugin = {
    option: "renewalHeader",
    connect: (context) => (response, sent) => {
      const token = response?.headers?.get?.(name);
      if (token) void accept(context, token.replace(/^Bearer /i, ""), sent);
    },
  };
  return plugin;
}

async function accept(
  { ledger, tabs, report, settings }: SessionContext,
  token: string,
  { token: sent, epoch }: Credential,
): Promise<void> {
  try {
    const { outcome: accepted } = await ledger.apply(acceptRenewal({ tokens: parseTokens(token), sent, epoch }, settings));
    if (accepted) tabs.announce();
  } catch {
    report.warnOnce("renewalHeader: the header has no token");
  }
}
