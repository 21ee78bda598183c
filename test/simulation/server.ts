import { makeJwt } from "../../src/testing/jwt.js";

export interface Grant {
  readonly id: number;
  readonly subject: string;
  readonly begunAt: number;
  /** The name of the key to which its tokens are bound, if any. */
  readonly key: string | undefined;
  /** The number of the refresh token that is good now. */
  current: number;
  /** When each used refresh token was first used; true time. */
  readonly used: Map<number, number>;
  /** The access tokens given out so far. */
  issued: number;
  revoked: boolean;
  /** An app signed out of it. */
  signedOut: boolean;
}

export interface Issued {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresIn: number;
  readonly tokenType?: "DPoP";
  readonly idToken?: string;
  /** Seconds until the server ends the session, if it does. */
  readonly sessionExpiresIn?: number;
}

export type Verdict = { outcome: "refreshed" | "again"; tokens: Issued } | { outcome: "rejected" | "reused" };

interface Access {
  readonly grant: Grant;
  readonly audience: string;
  readonly expiresAt: number;
  refused: boolean;
}

/** A strict authorization server, or one with a grace period. Its tokens say what they are, so that a trace can be read. */
export class Authority {
  readonly grants: Grant[] = [];
  reused = 0;
  rotations = 0;
  /** How long a session may last; without an end by default. */
  sessionSeconds: number | undefined;
  /** Each answer has an id token. */
  idTokens = false;
  readonly #access = new Map<string, Access>();
  #now: () => number;
  #options: { grace: number; accessSeconds: number; jwt: boolean };

  constructor(now: () => number, options: { grace: number; accessSeconds: number; jwt: boolean }) {
    this.#now = now;
    this.#options = options;
  }

  signIn(subject: string, key?: string): Issued {
    const used = new Map<number, number>();
    const id = this.grants.length + 1;
    const grant: Grant = { id, subject, begunAt: this.#now(), key, current: 1, used, issued: 0, revoked: false, signedOut: false };
    this.grants.push(grant);
    return this.#issue(grant);
  }

  /** `audience`: of the access token; the API itself by default. */
  refresh(refreshToken: string, audience = ""): Verdict {
    const { grant, number } = this.#read(refreshToken) ?? {};
    if (grant && this.#left(grant) <= 0) grant.revoked = true;
    if (!grant || number === undefined || grant.revoked) return { outcome: "rejected" };
    const usedAt = grant.used.get(number);
    if (usedAt === undefined) {
      grant.used.set(number, this.#now());
      grant.current += 1;
      this.rotations += 1;
      return { outcome: "refreshed", tokens: this.#issue(grant, audience) };
    }
    // The same successor, as long as nobody has used that one.
    if (this.#now() - usedAt < this.#options.grace && number === grant.current - 1)
      return { outcome: "again", tokens: this.#issue(grant, audience) };
    this.reused += 1;
    grant.revoked = true;
    return { outcome: "reused" };
  }

  /** Whether the API takes it, or that of an audience. */
  accepts(accessToken: string, audience = ""): boolean {
    const known = this.#access.get(accessToken);
    return known?.audience === audience && !known.grant.revoked && !known.refused && this.#now() < known.expiresAt;
  }

  /** The API takes none of the tokens that have been given out so far. */
  refuseAll(): void {
    for (const token of this.#access.values()) token.refused = true;
  }

  grantOf(token: string | null | undefined): Grant | undefined {
    if (!token) return undefined;
    return this.#access.get(token)?.grant ?? this.#read(token)?.grant;
  }

  /** Whether a cookie may take the place of another: no client can help an answer that brings back an older one, or another session's. */
  succeeds(cookie: string, former: string): boolean {
    const [next, known] = [this.#read(cookie), this.#read(former)];
    return next?.grant === known?.grant && (next?.number ?? 0) > (known?.number ?? 0);
  }

  #read(refreshToken: string): { grant: Grant | undefined; number: number } | undefined {
    const [kind, grant, number] = refreshToken.split(".");
    return kind === "r" ? { grant: this.grants[Number(grant) - 1], number: Number(number) } : undefined;
  }

  /** Another access token for the one of an accepted call, without a refresh. */
  later(accessToken: string): string | undefined {
    const known = this.#access.get(accessToken);
    return known && this.#issue(known.grant, known.audience).accessToken;
  }

  /** Milliseconds since its expiry. They are negative before it. */
  expiredFor(accessToken: string): number {
    return this.#now() - (this.#access.get(accessToken)?.expiresAt ?? 0);
  }

  audienceOf(accessToken: string): string | undefined {
    return this.#access.get(accessToken)?.audience;
  }

  /** Seconds that are left of a session. */
  #left({ begunAt }: Grant): number {
    return this.sessionSeconds === undefined ? Number.POSITIVE_INFINITY : this.sessionSeconds - (this.#now() - begunAt) / 1000;
  }

  #issue(grant: Grant, audience = ""): Issued {
    const { accessSeconds, jwt } = this.#options;
    grant.issued += 1;
    const iat = Math.floor(this.#now() / 1000);
    const jti = `a.${grant.id}.${grant.issued}`;
    const accessToken = jwt ? makeJwt({ sub: grant.subject, iat, exp: iat + accessSeconds, jti }) : jti;
    // A JWT counts in whole seconds, an opaque token does not.
    const expiresAt = jwt ? (iat + accessSeconds) * 1000 : this.#now() + accessSeconds * 1000;
    this.#access.set(accessToken, { grant, audience, expiresAt, refused: false });
    const left = this.#left(grant);
    const sessionExpiresIn = left < Number.POSITIVE_INFINITY ? { sessionExpiresIn: Math.max(1, Math.floor(left)) } : {};
    return {
      ...{ accessToken, refreshToken: `r.${grant.id}.${grant.current}`, expiresIn: accessSeconds, ...sessionExpiresIn },
      ...(grant.key !== undefined && { tokenType: "DPoP" as const }),
      ...(this.idTokens && { idToken: makeJwt({ sub: grant.subject, iat }) }),
    };
  }
}
