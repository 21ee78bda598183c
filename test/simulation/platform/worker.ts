import { partsOf } from "./globals.js";
import { type Answer, TOKEN_URL } from "./network.js";

export const REVOCATION_URL = "https://auth.example.test/revoke";
/** The options of `keepTokens`, and what `vault` and `oauth2` have of them. */
export const CLIENT = { tokenEndpoint: TOKEN_URL, clientId: "spa" };
export const KEEPER = { ...CLIENT, revocationEndpoint: REVOCATION_URL };

/** What a server gives out as a refresh token, anywhere in a text. */
const SERVER_TOKEN = /"r\.\d+\.\d+"/;

export const hasServerToken = (value: unknown): boolean => SERVER_TOKEN.test(JSON.stringify(value) ?? "");

/** A request of a worker. */
export interface Call {
  readonly url: string;
  readonly form: ReadonlyMap<string, string>;
  readonly signal: AbortSignal | null | undefined;
}

export function readCall(input: RequestInfo | URL): Call {
  const { body, signal } = partsOf(input as Request);
  return { url: (input as Request).url, form: new Map(body as URLSearchParams), signal };
}

/** As much of a response as `oauth2` reads. */
export const response = (status: number, json?: unknown, retryAfter?: string): Response =>
  ({
    status,
    headers: { get: (name: string) => (name === "retry-after" ? (retryAfter ?? null) : null) },
    text: async () => (json === undefined ? "" : JSON.stringify(json)),
  }) as unknown as Response;

/** An answer of the token endpoint, as RFC 6749 writes it. */
export function tokenResponse({ status, tokens, retryAfter, error }: Answer): Response {
  if (status === 400) return response(400, { error: error ?? "invalid_grant" });
  if (!tokens) return response(status, undefined, retryAfter === undefined ? undefined : String(retryAfter / 1000));
  const { accessToken, refreshToken, expiresIn, idToken, sessionExpiresIn } = tokens;
  return response(200, {
    ...{ access_token: accessToken, refresh_token: refreshToken, expires_in: expiresIn, token_type: "Bearer" },
    ...(idToken !== undefined && { id_token: idToken }),
    ...(sessionExpiresIn !== undefined && { session_expires_in: sessionExpiresIn }),
  });
}
