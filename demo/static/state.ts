import { browserEnvironment } from "../../src/index.js";
import type { Family } from "../../src/testing/families.js";
import type { ServerState, TokenFault } from "../page/server.js";

/** One sign-in in the server's database. */
export interface Grant extends Family {
  readonly id: number;
  readonly way: string;
  readonly subject: string;
  /** The thumbprint of the key to which the tokens are bound. */
  readonly jkt?: string;
  /** The value against CSRF, for the way with a cookie. */
  readonly csrf: string;
  /** The `jti` of the newest access token. */
  tokenId: string;
  /** The used refresh tokens, each with the answer that it was exchanged for. */
  readonly used: Record<string, { readonly at: number; readonly answer: Issued }>;
}

/** The content of a token response. The signature of the same claims is always the same. */
export interface Issued {
  readonly claims: { sub: string; name: string; iat: number; exp: number; jti: string; softexp?: number; cnf?: { jkt: string } };
  readonly refreshToken: string;
  readonly csrf: string;
  /** The `jti` of the access token before this one. */
  readonly before: string;
}

interface AccessToken {
  readonly serial: number;
  readonly grant: number;
  /** The instant of the soft expiry; without one, of the expiry. */
  readonly goodUntil: number;
  readonly expiresAt: number;
}

/** The whole state of the back end, as one value. Each request changes it in one transaction, so all tabs share it. */
export interface State extends ServerState {
  readonly key: CryptoKey;
  faults: { token: TokenFault | null; api: { kind: string } | null };
  serial: number;
  refusedUpTo: number;
  grants: Grant[];
  access: Record<string, AccessToken>;
  /** The nonce for proofs. An earlier state has none. */
  nonce?: string;
  /** The used proofs, and until when they are remembered. An earlier state has none. */
  proofs?: Record<string, number>;
  /** The refresh value of the way with a cookie. A real server sets an `HttpOnly` cookie; a page cannot set one. */
  cookie: string | null;
}

const zero = { refreshes: 0, attempts: 0, reused: 0, revoked: 0, apiOk: 0, apiUnauthorized: 0 };
/** The greatest number of sign-ins. The state forgets the oldest ones. */
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
// No script can export the key. A request uses it only when the state has no key. It exists before, because a transaction cannot wait for it.
const spare = crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);

let known: CryptoKey | undefined;

/** The key that signs access tokens. */
export const serverKey = async (): Promise<CryptoKey> => known ?? (await serve(() => ({}))).key;

/** Carries one request out. `work` reads and changes the state, and returns the answer. The promise resolves when the state is durable. */
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
