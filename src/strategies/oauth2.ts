import { SessionError } from "../errors.js";
import type { RefreshStrategy, Tokens } from "../types.js";
import { createDiscovery } from "./discovery.js";
import { type AnswerVerdict, accept, ask, assertUrl, type ReadAnswer, type RefreshAnswer, verdictOn } from "./request.js";

export type OAuth2Options = OAuth2Client & (TokenEndpoint | Issuer);

interface TokenEndpoint {
  /** Absolute URL, or a path on the page's own origin. */
  tokenEndpoint: string;
  issuer?: never;
}

interface Issuer {
  /** The issuer's URL, exactly as it names itself: the endpoints are looked up there at the first use (OpenID Connect Discovery). */
  issuer: string;
  tokenEndpoint?: never;
}

interface OAuth2Client {
  /** The public client's identifier (RFC 6749 §2.2); `client_id` in the request. */
  clientId: string;
  /** Asks for less than was granted (RFC 6749 §6). @default what was granted */
  scope?: string;
  /** Further parameters of the request: `resource`, `audience`, … */
  parameters?: Readonly<Record<string, string>>;
  /** RFC 7009. When set, `signOut` tries to revoke the refresh token. @default what the issuer says */
  revocationEndpoint?: string;
  /** For a server that answers in a way of its own. @default RFC 6749 §5 */
  answer?: ReadAnswer;
}

/** Errors of RFC 6749 §5.2, and of its extensions, that the next attempt may not meet. */
const PASSING = new Set(["temporarily_unavailable", "server_error", "slow_down"]);

/**
 * The refresh grant of RFC 6749 §6 for a public client, with or without rotation.
 *
 * `invalid_grant`, or an empty 400 or 401, ends the session; other OAuth errors are mistakes in the set-up, which end nothing and are not
 * repeated; everything else (429, 5xx, a proxy's page, no answer) means "not now".
 *
 * @throws {TypeError} when an option is missing or not a string.
 */
export function oauth2(options: OAuth2Options): RefreshStrategy {
  const { tokenEndpoint, issuer, clientId, scope, parameters, revocationEndpoint, answer: read } = options;
  if (issuer === undefined) assertUrl("oauth2", "tokenEndpoint", tokenEndpoint);
  else assertUrl("oauth2", "issuer", issuer);
  if (issuer && (tokenEndpoint || issuer.startsWith("/")))
    throw new TypeError("oauth2: either tokenEndpoint, or the absolute URL of an issuer");
  assertUrl("oauth2", "revocationEndpoint", revocationEndpoint ?? "/");
  for (const [option, value] of Object.entries({ clientId, scope: scope ?? "x" })) {
    if (typeof value !== "string" || !value) throw new TypeError(`oauth2: ${option} must be a non-empty string`);
  }
  const discover = issuer ? createDiscovery(issuer) : async () => ({ tokenEndpoint: tokenEndpoint as string, revocationEndpoint });
  return {
    id: `${issuer ?? tokenEndpoint} ${clientId}`,
    needsRefreshToken: true,
    takesAudience: true,
    async refresh({ tokens, signal, fetch, parameters: further }) {
      const { tokenEndpoint: url } = await discover(fetch, signal);
      const body = new URLSearchParams({
        ...parameters,
        ...(scope && { scope }),
        ...further,
        grant_type: "refresh_token",
        refresh_token: tokens.refreshToken ?? "",
        client_id: clientId,
      });
      const answer = await ask({ url, init: { method: "POST", body }, signal, fetch });
      return accept(answer, read?.(answer) ?? verdictOnGrant(answer)).json as Tokens;
    },
    revoke:
      issuer || revocationEndpoint
        ? async ({ tokens, fetch }) => {
            const url = revocationEndpoint ?? (await discover(fetch)).revocationEndpoint;
            if (!tokens.refreshToken || !url) return;
            // Only the refresh token: on some servers revoking an access token ends every session of the grant.
            const body = new URLSearchParams({ token: tokens.refreshToken, token_type_hint: "refresh_token", client_id: clientId });
            await fetch(url, { method: "POST", body, keepalive: true, credentials: "omit" });
          }
        : undefined,
  };
}

function verdictOnGrant(answer: RefreshAnswer): AnswerVerdict {
  const { status, json } = answer;
  const verdict = verdictOn(answer);
  if (verdict !== "rejected" || json === undefined) return verdict;
  // JSON says by its `error` what is the matter.
  const error = (json as { error?: unknown } | null)?.error;
  if (error === "invalid_grant") return "rejected";
  if (typeof error !== "string" || PASSING.has(error)) return "not-now";
  // Only what looks like an error code is repeated: who knows what else a server echoes.
  throw new SessionError("configuration", `the authorization server answered ${/^[a-z_]{1,40}$/.test(error) ? error : "an error"}`, {
    status,
  });
}
