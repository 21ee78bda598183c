import { HANDLE } from "../ledger/format.js";
import type { TokenSet } from "../types/index.js";
import type { Instant } from "./answer.js";

/** The session of one login at the server. Each answer has a handle of its own: the id of the grant, and a serial number. */
export interface Grant {
  readonly id: string;
  refreshToken: string;
  /** The refresh token that a page gave. A page may give it again after its use, since the tab that asked died before it stored the handle. */
  given: string;
  /** The number of the last handle. */
  serial: number;
  /** The code with which each renewal fails: the server has refused the refresh token, or a page has revoked the grant. */
  over?: "rejected" | "credential-lost";
  /** The request under way. A second request would present the same refresh token. */
  underWay?: { readonly parameters: string; readonly answer: Promise<TokenSet> } | undefined;
  /** The last answer. It is also the answer to an older handle than its own: the tab that asked may have died before it stored the answer. */
  last?: { readonly parameters: string; readonly tokens: TokenSet; readonly sent: Instant } | undefined;
}

/** Keeps the grants, and finds the grant of a handle. */
export interface Grants {
  /** Returns the grant of a handle that this object has given, also of an older one. */
  find(handle: string): Grant | undefined;
  /** Returns the handle of a refresh token, which two tabs may give. */
  add(refreshToken: string): string;
  /** The grant is in use, so it is the last one that is forgotten. */
  touch(grant: Grant): void;
  forget(grant: Grant): void;
}

/** The most grants. The longest unused one goes first. */
const MOST_GRANTS = 50;

/** Returns the last handle of a grant, or an older one. */
export const handleOf = ({ id, serial: last }: Grant, serial = last): string => `${HANDLE}${id}.${serial}`;

export function createGrants(randomId: () => string): Grants {
  /** In the order of their last use. */
  const grants = new Map<string, Grant>();

  function touch(grant: Grant): void {
    grants.delete(grant.id);
    grants.set(grant.id, grant);
    for (const oldest of grants.keys()) if (grants.size > MOST_GRANTS) grants.delete(oldest);
  }

  return {
    find(handle) {
      const [id = "", serial] = handle.slice(HANDLE.length).split(".");
      const grant = grants.get(id);
      return grant && Number(serial) <= grant.serial ? grant : undefined;
    },
    add(refreshToken) {
      const known = [...grants.values()].find(({ refreshToken: current, given }) => current === refreshToken || given === refreshToken);
      const grant = known ?? { id: randomId(), refreshToken, given: refreshToken, serial: 0 };
      touch(grant);
      // For a used one, the last answer serves.
      return handleOf(grant, grant.refreshToken === refreshToken ? grant.serial : 0);
    },
    touch,
    forget: ({ id }) => void grants.delete(id),
  };
}
