import { browserEnvironment } from "../../src/index.js";
import type { ServerState, TokenFault } from "../page/server.js";

/** One sign-in, as the server remembers it. */
export interface Grant {
  readonly id: number;
  readonly way: string;
  readonly subject: string;
  /** Of the way with a cookie. */
  readonly csrf: string;
  /** The refresh value that is good now. */
  current: string;
  /** The `jti` of the newest access token. */
  tokenId: string;
  /** Those that were good before, and what each of them was exchanged for. */
  readonly used: Record<string, { readonly at: number; readonly answer: Issued }>;
  ended: boolean;
}

/** What a token response is made of; signed, it is the same each time. */
export interface Issued {
  readonly claims: { sub: string; name: string; iat: number; exp: number; jti: string; softexp?: number };
  readonly refreshToken: string;
  readonly csrf: string;
  /** The `jti` of the access token before it. */
  readonly before: string;
}

interface AccessToken {
  readonly serial: number;
  readonly grant: number;
  /** Until its soft expiry, where it has one. */
  readonly goodUntil: number;
  readonly expiresAt: number;
}

/** All that the back end knows: one value, changed by one read-write transaction for each request, and so the same for all tabs. */
export interface State extends ServerState {
  readonly key: CryptoKey;
  faults: { token: TokenFault | null; api: { kind: string } | null };
  serial: number;
  refusedUpTo: number;
  grants: Grant[];
  access: Record<string, AccessToken>;
  /** The refresh value that a real server would keep in a cookie which no script can read: a page cannot set one. */
  cookie: string | null;
}

const zero = { refreshes: 0, attempts: 0, reused: 0, revoked: 0, apiOk: 0, apiUnauthorized: 0 };
/** Sign-ins that are remembered; the oldest are forgotten. */
const GRANTS = 50;
const EVENTS = 50;

const empty = (key: CryptoKey): State => ({
  key,
  stats: { ...zero, events: [] },
  faults: { token: null, api: null },
  settings: { accessTokenSeconds: 10, reuseGraceSeconds: 0 },
  serial: 0,
  refusedUpTo: 0,
  grants: [],
  access: {},
  cookie: null,
});

const store = browserEnvironment().openStore?.("tokentide-demo:server");
// It cannot be taken out of the browser, and comes to no use in the transaction of a request when there is one already.
const spare = crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);

let known: CryptoKey | undefined;

/** What access tokens are signed with. */
export const serverKey = async (): Promise<CryptoKey> => known ?? (await serve(() => ({}))).key;

/** Carries one request out: `work` reads and changes the state, and what it returns is the answer once that is durable. */
export async function serve<Answer>(work: (state: State) => Answer): Promise<Answer & { key: CryptoKey }> {
  const key = await spare;
  return new Promise((resolve, reject) => {
    let answer: (Answer & { key: CryptoKey }) | undefined;
    const change = (value: unknown) => {
      const state = (value ?? empty(key)) as State;
      known = state.key;
      answer = { ...work(state), key: state.key };
      tidy(state);
      return state;
    };
    if (!store) return reject(new Error("There is no IndexedDB here."));
    store.transact(change, () => resolve(answer as Answer & { key: CryptoKey }), reject);
  });
}

export function log(state: State, kind: string, session?: number): void {
  state.stats.events.push({ at: Date.now(), kind, ...(session !== undefined && { session }) });
}

export function reset(state: State): void {
  state.stats = { ...zero, events: [] };
}

function tidy(state: State): void {
  const now = Date.now();
  state.stats.events.splice(0, state.stats.events.length - EVENTS);
  state.grants.splice(0, state.grants.length - GRANTS);
  for (const [id, { expiresAt }] of Object.entries(state.access)) if (expiresAt < now) delete state.access[id];
}
