import type { TokenResponse } from "../types.js";
import { seeded } from "./chance.js";
import { makeJwt } from "./jwt.js";

export interface GrantOptions {
  /** Lifetime of access tokens in seconds. */
  accessSeconds: number;
  format: "jwt" | "opaque";
  /** Whether a refresh gives out a new refresh token. */
  rotates: boolean;
  /** Milliseconds within which a used refresh token may come again. */
  grace: number;
  /** What else stands in the claims from now on, and in the response. */
  claims: Record<string, unknown>;
  response: Record<string, unknown>;
  /** Whether a response has `expires_in`. */
  tellsLifetime: boolean;
}

/** One sign-in, as the server remembers it. */
interface Grant {
  subject: string;
  readonly claims: Record<string, unknown>;
  refreshToken: string;
  readonly used: Map<string, number>;
  revoked: boolean;
}

interface AccessToken {
  readonly grant: Grant;
  readonly serial: number;
  readonly audience: string | undefined;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export type Exchange = { response: TokenResponse; reused: boolean } | { response: null; reused: boolean };

/** The server's database: strict single use, and whoever presents a used refresh token loses the whole session. */
export class Grants {
  readonly options: GrantOptions;
  /** Every token that was ever given out. */
  readonly secrets = new Set<string>();
  readonly refreshSecrets = new Set<string>();
  #now: () => number;
  #grants: Grant[] = [];
  #access = new Map<string, AccessToken>();
  #serial = 0;
  #notBefore = Number.NEGATIVE_INFINITY;

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
    this.options = { ...defaults, ...options };
  }

  start(subject: string, claims: Record<string, unknown> = {}): TokenResponse {
    const grant: Grant = { subject, claims, refreshToken: "", used: new Map(), revoked: false };
    this.#grants.push(grant);
    return this.#issue(grant, true);
  }

  /** `audience`: what the access token is for, if the client asks for one (RFC 8707). */
  exchange(refreshToken: string, audience?: string): Exchange {
    const grant = this.#grants.find((candidate) => candidate.refreshToken === refreshToken || candidate.used.has(refreshToken));
    if (!grant) return { response: null, reused: false };
    const usedAt = grant.used.get(refreshToken);
    if (usedAt !== undefined && this.#now() - usedAt >= this.options.grace) {
      grant.revoked = true;
      return { response: null, reused: true };
    }
    if (grant.revoked) return { response: null, reused: false };
    if (usedAt !== undefined) return { response: this.#issue(grant, false, audience), reused: false };
    if (this.options.rotates) grant.used.set(refreshToken, this.#now());
    return { response: this.#issue(grant, this.options.rotates, audience), reused: false };
  }

  /** Ends sessions, as an administrator would: one user's, or everybody's. */
  revoke(subject?: string): void {
    for (const grant of this.#grants) if (subject === undefined || grant.subject === subject) grant.revoked = true;
  }

  revokeToken(refreshToken: string): void {
    for (const grant of this.#grants) if (grant.refreshToken === refreshToken || grant.used.has(refreshToken)) grant.revoked = true;
  }

  /** From now on the next refresh answers for somebody else: a server that mixes up its users. */
  confuse(from: string, to: string): void {
    for (const grant of this.#grants) if (grant.subject === from) grant.subject = to;
  }

  /** The API stops accepting what was given out so far. */
  expireAccessTokens(): void {
    this.#notBefore = this.#serial + 1;
  }

  /** Who a bearer token speaks for, or why it is not accepted. */
  check(accessToken: string): { subject: string; serial: number } | "unknown" | "expired" | "revoked" {
    const known = this.#access.get(accessToken);
    if (!known) return "unknown";
    if (this.#now() >= known.expiresAt || known.serial < this.#notBefore) return "expired";
    return known.grant.revoked ? "revoked" : { subject: known.grant.subject, serial: known.serial };
  }

  serialOf(accessToken: string | null): number | null {
    return (accessToken && this.#access.get(accessToken)?.serial) || null;
  }

  /** Which audience an access token is for; undefined where none was asked for. */
  audienceOf(accessToken: string | null): string | undefined {
    return accessToken === null ? undefined : this.#access.get(accessToken)?.audience;
  }

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
      grant.refreshToken = `refresh-${unique}`;
      this.secrets.add(grant.refreshToken);
      this.refreshSecrets.add(grant.refreshToken);
    }
    return {
      access_token: accessToken,
      token_type: "Bearer",
      ...(tellsLifetime ? { expires_in: accessSeconds } : {}),
      ...(withRefreshToken ? { refresh_token: grant.refreshToken } : {}),
      ...response,
    };
  }
}
