import { makeJwt } from "../../src/testing/jwt.js";

export interface Grant {
  readonly id: number;
  readonly subject: string;
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
}

export type Verdict = { outcome: "refreshed" | "again"; tokens: Issued } | { outcome: "rejected" | "reused" };

/** A strict authorization server, or one with a grace period. Its tokens say what they are, so that a trace can be read. */
export class Authority {
  readonly grants: Grant[] = [];
  reused = 0;
  rotations = 0;
  readonly #access = new Map<string, { grant: Grant; expiresAt: number; refused: boolean }>();
  #now: () => number;
  #options: { grace: number; accessSeconds: number; jwt: boolean };

  constructor(now: () => number, options: { grace: number; accessSeconds: number; jwt: boolean }) {
    this.#now = now;
    this.#options = options;
  }

  signIn(subject: string): Issued {
    const grant: Grant = { id: this.grants.length + 1, subject, current: 1, used: new Map(), issued: 0, revoked: false, signedOut: false };
    this.grants.push(grant);
    return this.#issue(grant);
  }

  refresh(refreshToken: string): Verdict {
    const { grant, number } = this.#read(refreshToken) ?? {};
    if (!grant || number === undefined || grant.revoked) return { outcome: "rejected" };
    const usedAt = grant.used.get(number);
    if (usedAt === undefined) {
      grant.used.set(number, this.#now());
      grant.current += 1;
      this.rotations += 1;
      return { outcome: "refreshed", tokens: this.#issue(grant) };
    }
    // The same successor, as long as nobody has used that one.
    if (this.#now() - usedAt < this.#options.grace && number === grant.current - 1) return { outcome: "again", tokens: this.#issue(grant) };
    this.reused += 1;
    grant.revoked = true;
    return { outcome: "reused" };
  }

  /** Whether the API takes it. */
  accepts(accessToken: string): boolean {
    const known = this.#access.get(accessToken);
    return known !== undefined && !known.grant.revoked && !known.refused && this.#now() < known.expiresAt;
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

  #issue(grant: Grant): Issued {
    const { accessSeconds, jwt } = this.#options;
    grant.issued += 1;
    const iat = Math.floor(this.#now() / 1000);
    const jti = `a.${grant.id}.${grant.issued}`;
    const accessToken = jwt ? makeJwt({ sub: grant.subject, iat, exp: iat + accessSeconds, jti }) : jti;
    // A JWT counts in whole seconds, an opaque token does not.
    const expiresAt = jwt ? (iat + accessSeconds) * 1000 : this.#now() + accessSeconds * 1000;
    this.#access.set(accessToken, { grant, expiresAt, refused: false });
    return { accessToken, refreshToken: `r.${grant.id}.${grant.current}`, expiresIn: accessSeconds };
  }
}
