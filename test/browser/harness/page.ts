// The app of the scenarios, in the page: a session, an API that is called all the time, and a record of what happened.

import { mountDevtools, traceToPerformancePanel } from "../../../src/devtools.js";
import { thumbprintOf } from "../../../src/dpop/proof.js";
import {
  type AuthorizationCode,
  browserEnvironment,
  cookie,
  createSession,
  type DebugEvent,
  dpop,
  type IdleLimitOptions,
  idleLimit,
  memory,
  oauth2,
  type RefreshStrategy,
  type Session,
  type SessionOptions,
  type Store,
  type TokenSet,
  type Vault,
  vault,
} from "../../../src/index.js";

/** Goes into the page's address, so it is plain data. */
export interface AppOptions {
  tokenEndpoint: string;
  clientId: string;
  /** The back end's own way of renewing, in place of OAuth 2. */
  way?: "cookie";
  /** Tried at sign-out. */
  revocationEndpoint?: string;
  session?: Omit<SessionOptions, "refresh" | "classify" | "debug" | "environment" | "lead" | "jitter" | "idle" | "persist"> & {
    lead?: number;
  };
  /** Whether the session keeps its tokens in memory. */
  inMemory?: boolean;
  /** Whether the session binds its tokens to a key. */
  dpop?: boolean;
  /** Whether a worker keeps the refresh token: the address of the worker, and whether all tabs share it. */
  vault?: { worker: string; shared?: boolean } | undefined;
  idle?: IdleLimitOptions | undefined;
  /** Milliseconds between two calls of the API; 0 for none. */
  pollEvery?: number;
  /** The panel, open, and the track. */
  devtools?: boolean;
  /** Signs out in the task that makes the session, and leaves for this address in the same task. */
  leavesFor?: string;
}

export interface App {
  readonly session: Session;
  /** The exchange of `vault`. */
  exchangeCode(login: AuthorizationCode): Promise<TokenSet>;
  /** The thumbprint of the key to which a login has to bind the tokens; undefined when the session binds none. */
  loginKey(): Promise<string | undefined>;
  /** Another session object of the same name, as a page makes it that loads the app's module twice. */
  twin(): Session;
  /** Names of the session's events, with a word on what they said. */
  readonly heard: string[];
  /** The session's own account of its decisions. */
  readonly decisions: DebugEvent[];
  readonly api: { ok: number; failures: string[] };
  /** Requests of this page to the token endpoint, and how many of them were answered or given up. */
  readonly token: { sent: number; over: number };
  stop(): void;
  /** A store as the session has it, of another name. */
  openStore(name: string): Store;
  /** Which token this tab is on, without showing it. */
  serial(): Promise<string | null>;
  /** How many commits the ledger has seen; null before the first. */
  ledgerVersion(): Promise<number | null>;
  /** All that the origin has stored, as text; but for the database of that name. */
  stored(except: string): Promise<string>;
}

declare global {
  /** In the page; scenarios use it inside of `tab.run`. */
  var app: App;
}

const options: AppOptions = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const token = { sent: 0, over: 0 };

// Before the session is made, and unknown to it: what a page's own tracing would do.
const send = globalThis.fetch;
globalThis.fetch = (input, init) => {
  const { href } = new URL(input instanceof Request ? input.url : input, location.href);
  const answer = send(input, init);
  if (href === options.tokenEndpoint) {
    token.sent += 1;
    const over = () => {
      token.over += 1;
    };
    void answer.then(over, over);
  }
  return answer;
};

const heard: string[] = [];
const decisions: DebugEvent[] = [];
const api: App["api"] = { ok: 0, failures: [] };

const { tokenEndpoint, clientId, revocationEndpoint } = options;

function strategyOf(): RefreshStrategy {
  if (options.way) return cookie({ url: tokenEndpoint, csrf: { header: "X-CSRF-Token", cookie: "csrf" } });
  const client = { tokenEndpoint, clientId, ...(revocationEndpoint && { revocationEndpoint }) };
  return options.vault ? vault({ ...client, ...options.vault }) : oauth2(client);
}

/** An object of `dpop` serves one session. */
const bindingOf = () => (options.dpop ? dpop() : undefined);
const create = (refresh = strategyOf(), proofs = bindingOf()) =>
  createSession({
    ...options.session,
    ...(proofs && { dpop: proofs }),
    ...(options.inMemory && { persist: memory() }),
    ...(options.idle && { idle: idleLimit(options.idle) }),
    refresh,
    debug: (event) => void decisions.push(event),
  });
const strategy = strategyOf();
const proofs = bindingOf();
const session = create(strategy, proofs);
if (options.leavesFor) {
  void session.signOut();
  location.assign(options.leavesFor);
}
session.on("signed-in", () => heard.push("signed-in"));
session.on("refreshed", ({ adopted }) => heard.push(adopted ? "refreshed (adopted)" : "refreshed"));
session.on("refresh-failed", ({ error }) => heard.push(`refresh-failed ${error.code}`));
session.on("user-changed", ({ before, after }) => heard.push(`user-changed ${before?.sub} → ${after?.sub}`));
session.on("idle-warning", () => heard.push("idle-warning"));
session.on("idle-cancelled", () => heard.push("idle-cancelled"));
session.on("signed-out", ({ reason, possiblyLostRotation }) => heard.push(`signed-out ${reason}${possiblyLostRotation ? " (lost)" : ""}`));

let timer: ReturnType<typeof setTimeout> | undefined;
let stopped = false;

/** One call at a time, as a page that polls does it: the next one is planned when this one is over. */
async function poll(every: number): Promise<void> {
  if (session.getSnapshot().status === "signed-in") {
    try {
      const response = await session.fetch(options.way ? `/${options.way}/api/me` : "/api/me");
      if (response.status === 200) api.ok += 1;
      // A session that ended while the call was under way is no failure of the API.
      else if (session.getSnapshot().status === "signed-in") api.failures.push(`${response.status} at ${Date.now()}`);
    } catch (error) {
      api.failures.push(`${error} at ${Date.now()}`);
    }
  }
  if (!stopped) timer = setTimeout(() => void poll(every), every);
}

globalThis.app = {
  session,
  exchangeCode: (login) => (strategy as Vault).exchangeCode(login),
  loginKey: async () => proofs && thumbprintOf(crypto, await proofs.keyPair()),
  twin: () => create(),
  heard,
  decisions,
  api,
  token,
  stop() {
    stopped = true;
    clearTimeout(timer);
  },
  openStore: (name) => browserEnvironment().openStore!(name),
  async serial() {
    const value = await session.getToken();
    return value === null ? null : String(session.getSnapshot().claims?.jti);
  },
  async ledgerVersion() {
    const [database] = await indexedDB.databases();
    if (!database?.name) return null;
    const connection = await settled(indexedDB.open(database.name));
    try {
      const record = await settled<{ version: number } | undefined>(connection.transaction("ledger").objectStore("ledger").get(0));
      return record?.version ?? null;
    } finally {
      connection.close();
    }
  },
  async stored(except) {
    const found: unknown[] = [{ ...localStorage }, { ...sessionStorage }];
    for (const { name } of await indexedDB.databases()) {
      if (!name || name === except) continue;
      const connection = await settled(indexedDB.open(name));
      for (const table of connection.objectStoreNames) found.push(await settled(connection.transaction(table).objectStore(table).getAll()));
      connection.close();
    }
    return JSON.stringify(found);
  },
};

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** What a page that came back from the back/forward cache tells: the driver has lost sight of it. */
addEventListener("pageshow", ({ persisted }) => {
  if (!persisted) return;
  const tell = async () => {
    const { status } = session.getSnapshot();
    const serial = await app.serial().catch(() => null);
    await send("/report", { method: "POST", body: JSON.stringify({ status, serial, heard, failures: api.failures }) });
    setTimeout(() => void tell(), 200);
  };
  void tell();
});

if (options.devtools) {
  traceToPerformancePanel(session);
  const unmount = mountDevtools(session, { open: true });
  addEventListener("unmount-devtools", unmount);
}
if (options.pollEvery) void poll(options.pollEvery);
