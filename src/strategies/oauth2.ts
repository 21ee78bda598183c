import { assertKnown, SessionError } from "../errors.js";
import type { RefreshStrategy, Tokens } from "../types/index.js";
import { createDiscovery } from "./discovery.js";
import {
  type AnswerVerdict,
  accept,
  ask,
  asksToWait,
  assertUrl,
  FAREWELL,
  type Network,
  type ReadAnswer,
  type RefreshAnswer,
  verdictOn,
} from "./request.js";

/** The options of {@link oauth2}: `clientId`, and either `tokenEndpoint` or `issuer`. */
export type OAuth2Options = OAuth2Client & (TokenEndpoint | Issuer);

interface TokenEndpoint {
  /** Absolute URL, or a path on the page's own origin. */
  tokenEndpoint: string;
  issuer?: never;
}

interface Issuer {
  /**
   * The issuer's URL, exactly as its metadata has it, without `/.well-known/…`. The endpoints are read from there at first use (OpenID Connect
   * Discovery §4).
   */
  issuer: string;
  tokenEndpoint?: never;
}

interface OAuth2Client {
  /** The identifier of a public client (RFC 6749 §2.2): `client_id` in the request. */
  clientId: string;
  /** Asks for a part of the granted scope (RFC 6749 §6). @default the granted scope */
  scope?: string;
  /** Further parameters of the request: `resource` (RFC 8707), `audience`, … @default none */
  parameters?: Readonly<Record<string, string>>;
  /**
   * Absolute URL, or a path. `signOut` tries to revoke the refresh token there (RFC 7009), and so does a sign-in by another user; a redirect is
   * an error.
   * @default the endpoint of `issuer`; none with `tokenEndpoint`
   */
  revocationEndpoint?: string;
  /** Judges an answer, for a server with other rules. @default the rules of {@link oauth2} (RFC 6749 §5) */
  answer?: ReadAnswer;
}

/** Error codes of OAuth after which a later attempt may succeed (RFC 6749 §4.1.2.1, RFC 8628 §3.5). */
const PASSING = new Set(["temporarily_unavailable", "server_error", "slow_down"]);

/**
 * The refresh grant of RFC 6749 §6 for a public client, with or without rotation of the refresh token.
 *
 * - The session ends with `invalid_grant` in an answer below 500 without an access token, and with an empty 400 or 401.
 * - Another OAuth error is a mistake in the set-up (`configuration`). The session stays, and does not repeat the request.
 * - Any other answer (408, 429, 5xx, `Retry-After`, a proxy's page) and no answer mean "not now".
 *
 * @throws {TypeError} when an option is missing, not a string, or unknown.
 */
export function oauth2(options: OAuth2Options): RefreshStrategy {
  const { id, clientId, redeem, revoke } = createClient("oauth2", options);
  return {
    id,
    clientId,
    needsRefreshToken: true,
    takesAudience: true,
    takesDpop: true,
    refresh: (context) => redeem({ ...context.parameters, ...refreshGrant(context.tokens.refreshToken) }, context),
    revoke: revoke && ((context) => revoke(context.tokens.refreshToken, context)),
  };
}

/** The members of a request that renews (RFC 6749 §6). */
export const refreshGrant = (refreshToken = "") => ({ grant_type: "refresh_token", refresh_token: refreshToken });

/** The requests of a public client. */
export interface Client {
  readonly id: string;
  readonly clientId: string;
  /** Sends a grant to the token endpoint, with the members of `form`, and returns the answer's JSON. @throws {SessionError} */
  redeem(form: Readonly<Record<string, string>>, network: Network): Promise<Tokens>;
  /** Tells the server that the refresh token is of no use any more (RFC 7009). It is absent without an endpoint. */
  readonly revoke: ((refreshToken: string | undefined, network: Network) => Promise<void>) | undefined;
}

/** `way`: the function of this package whose options these are. @throws {TypeError} when an option is missing, not a string, or unknown */
export function createClient(way: string, options: OAuth2Options): Client {
  const { tokenEndpoint, issuer, clientId, scope, parameters, revocationEndpoint, answer: read } = options;
  assertKnown(way, options, { tokenEndpoint, issuer, clientId, scope, parameters, revocationEndpoint, answer: read });
  if (issuer === undefined) assertUrl(way, "tokenEndpoint", tokenEndpoint);
  else assertUrl(way, "issuer", issuer);
  if (issuer && (tokenEndpoint || /^\/|\/\.well-known\/|[?#]/.test(issuer)))
    throw new TypeError(`${way}: give either tokenEndpoint or issuer; issuer is an absolute URL without /.well-known/… and query`);
  assertUrl(way, "revocationEndpoint", revocationEndpoint ?? "/");
  for (const [option, value] of Object.entries({ clientId, scope: scope ?? "x" })) {
    if (typeof value !== "string" || !value) throw new TypeError(`${way}: ${option} must be a non-empty string`);
  }
  const discover = issuer ? createDiscovery(issuer) : async () => ({ tokenEndpoint: tokenEndpoint as string, revocationEndpoint });
  return {
    id: `${issuer ?? tokenEndpoint} ${clientId}`,
    clientId,
    async redeem(form, network) {
      const { tokenEndpoint: url } = await discover(network);
      const body = new URLSearchParams({ ...parameters, ...(scope && { scope }), ...form, client_id: clientId });
      const answer = await ask(url, { method: "POST", body }, network);
      // RFC 6749 has no answer that is a bare text, so a text is no token either.
      return Object(accept(answer, read?.(answer) ?? verdictOnGrant(answer)).json) as Tokens;
    },
    revoke:
      issuer || revocationEndpoint
        ? async (token, network) => {
            const url = revocationEndpoint ?? (await discover(network)).revocationEndpoint;
            if (!token || !url) return;
            // Only the refresh token is revoked: with an access token, some servers end every session of the grant.
            const body = new URLSearchParams({ token, token_type_hint: "refresh_token", client_id: clientId });
            await ask(url, { method: "POST", body, ...FAREWELL }, network);
          }
        : undefined,
  };
}

function verdictOnGrant(answer: RefreshAnswer): AnswerVerdict {
  const { status, headers, json } = answer;
  const verdict = verdictOn(answer);
  const { error, ...rest } = (json ?? {}) as Record<string, unknown>;
  if (error === "invalid_grant" && !(verdict === "refreshed" && (rest.access_token || rest.accessToken))) {
    const passes = status >= 500 || status === 408 || status === 429 || asksToWait(headers);
    return passes ? "not-now" : "rejected";
  }
  // An answer with JSON has the reason in `error`.
  if (verdict !== "rejected" || json === undefined) return verdict;
  if (typeof error !== "string" || PASSING.has(error)) return "not-now";
  // The message repeats an error code only: another text of the server may contain a token.
  throw new SessionError("configuration", `the authorization server answered ${/^[a-z_]{1,40}$/.test(error) ? error : "an error"}`, {
    status,
  });
}
