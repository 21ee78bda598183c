import { assertKnown } from "../errors.js";
import type { TokenResponse } from "../types/index.js";
import { seeded } from "./chance.js";
import { type Family, familyOf, judgeRefreshToken } from "./families.js";
import { makeJwt } from "./jwt.js";

export interface GrantOptions {
  /** The lifetime of access tokens, in seconds. @default 3600 */
  accessSeconds: number;
  /** Whether an access token is a JWT or an opaque string. @default "jwt" */
  format: "jwt" | "opaque";
  /** Whether the answer to a refresh has a new refresh token. @default true */
  rotates: boolean;
  /** Milliseconds after its first use in which a refresh token may be used again. @default 0: strict single use */
  grace: number;
  /** Further claims of the access tokens that the server issues from now on. @default none */
  claims: Record<string, unknown>;
  /** Further members of the token responses from now on. @default none */
  response: Record<string, unknown>;
  /** Whether a token response has `expires_in`. @default true */
  tellsLifetime: boolean;
}

/** One sign-in, as the server remembers it. */
interface Grant extends Family {
  subject: string;
  readonly claims: Record<string, unknown>;
}

interface AccessToken {
  readonly grant: Grant;
  readonly serial: number;
  readonly audience: string | undefined;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export type Exchange = { response: TokenResponse; reused: boolean } | { response: null; reused: boolean };

/** The server's database. A refresh token can be used once; a second use ends the session that the token belongs to. */
export class Grants {
  /** A test may change the options at any time. A change is in force from the next token on. */
  readonly options: GrantOptions;
  /** All access and refresh tokens that the server has issued, so that a test can search its output for them. */
  readonly secrets = new Set<string>();
  /** All refresh tokens that the server has issued. */
  readonly refreshSecrets = new Set<string>();
  #now: () => number;
  #grants: Grant[] = [];
  #access = new Map<string, AccessToken>();
  #serial = 0;
  #notBefore = Number.NEGATIVE_INFINITY;

  /**
   * @param now the server's clock, in epoch milliseconds.
   * @throws when an option is unknown.
   */
  constructor(now: () => number, options: Partial<GrantOptions>) {
    this.#now = now;
    const defaults: GrantOptions = {
      accessSeconds: 3600,
      format: "jwt",
      rotates: true,
      grace: 0,
      claims: {},
      response: {},
      tellsLifetime: true,
    };
    assertKnown("the server", options, { ...defaults });
    this.options = { ...defaults, ...options };
  }

  /** Signs a user in. `claims` are in every token of the session. */
  start(subject: string, claims: Record<string, unknown> = {}): TokenResponse {
    const grant: Grant = { subject, claims, current: "", used: {}, ended: false };
    this.#grants.push(grant);
    return this.#issue(grant, true);
  }

  /** Exchanges a refresh token for a token response. `audience` is the resource that the client asks for (RFC 8707). */
  exchange(refreshToken: string, audience?: string): Exchange {
    const { grace, rotates } = this.options;
    const now = this.#now();
    const grant = familyOf(this.#grants, refreshToken);
    if (!grant) return { response: null, reused: false };
    const verdict = judgeRefreshToken(grant, refreshToken, { now, grace });
    if (verdict === "reused") grant.ended = true;
    if (verdict === "reused" || verdict === "ended") return { response: null, reused: verdict === "reused" };
    const rotated = rotates && verdict === "renews";
    if (rotated) grant.used[refreshToken] = { at: now };
    return { response: this.#issue(grant, rotated, audience), reused: false };
  }

  /** Ends the sessions of one user, as an administrator would. @default the sessions of all users */
  revoke(subject?: string): void {
    for (const grant of this.#grants) if (subject === undefined || grant.subject === subject) grant.ended = true;
  }

  /** Ends the session of a refresh token. An unknown token does nothing. */
  revokeToken(refreshToken: string): void {
    const grant = familyOf(this.#grants, refreshToken);
    if (grant) grant.ended = true;
  }

  /** Makes the sessions of one user answer for another user, as a faulty server would. */
  confuse(from: string, to: string): void {
    for (const grant of this.#grants) if (grant.subject === from) grant.subject = to;
  }

  /** Makes the API refuse all access tokens that were issued so far. */
  expireAccessTokens(): void {
    this.#notBefore = this.#serial + 1;
  }

  /** The user and the number of an access token, or the reason why the API refuses the token. */
  check(accessToken: string): { subject: string; serial: number } | "unknown" | "expired" | "revoked" {
    const known = this.#access.get(accessToken);
    if (!known) return "unknown";
    if (this.#now() >= known.expiresAt || known.serial < this.#notBefore) return "expired";
    return known.grant.ended ? "revoked" : { subject: known.grant.subject, serial: known.serial };
  }

  /** The number of an access token, counted from 1; null for an unknown token. */
  serialOf(accessToken: string | null): number | null {
    return (accessToken && this.#access.get(accessToken)?.serial) || null;
  }

  /** The audience of an access token; undefined when the client asked for none. */
  audienceOf(accessToken: string | null): string | undefined {
    return accessToken === null ? undefined : this.#access.get(accessToken)?.audience;
  }

  /** The number of the newest access token; 0 before the first one. */
  get lastSerial(): number {
    return this.#serial;
  }

  #issue(grant: Grant, withRefreshToken: boolean, audience?: string): TokenResponse {
    const { accessSeconds, format, claims, tellsLifetime, response } = this.options;
    this.#serial += 1;
    const iat = Math.floor(this.#now() / 1000);
    const exp = iat + accessSeconds;
    const unique = `${this.#serial}-${seeded(this.#serial)().toString(36).slice(2)}`;
    const payload = {
      iss: "https://auth.example.test",
      sub: grant.subject,
      client_id: "spa",
      iat,
      exp,
      jti: unique,
      ...grant.claims,
      ...claims,
      ...(audience && { aud: audience }),
    };
    const accessToken = format === "jwt" ? makeJwt(payload) : `opaque-access-${unique}`;
    this.#access.set(accessToken, { grant, serial: this.#serial, audience, issuedAt: this.#now(), expiresAt: exp * 1000 });
    this.secrets.add(accessToken);
    if (withRefreshToken) {
      grant.current = `refresh-${unique}`;
      this.secrets.add(grant.current);
      this.refreshSecrets.add(grant.current);
    }
    return {
      access_token: accessToken,
      token_type: "Bearer",
      ...(tellsLifetime ? { expires_in: accessSeconds } : {}),
      ...(withRefreshToken ? { refresh_token: grant.current } : {}),
      ...response,
    };
  }
}
