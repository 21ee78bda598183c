import { assertKnown, isSessionError, SessionError } from "../errors.js";
import { isHandle } from "../ledger/format.js";
import { LONGEST_LEASE_MS } from "../ledger/record.js";
import { handOver } from "../ledger/transitions/index.js";
import { browserEnvironment } from "../platform/browser.js";
import { abortable, deadline } from "../platform/timers.js";
import { connectWorker, workerAt } from "../platform/worker.js";
import { patienceOf } from "../refresh/attempt.js";
import type { ConnectedStrategy } from "../session/context.js";
import { memory } from "../session/memory.js";
import type { RefreshStrategy, TokenSet } from "../types/index.js";
import { type Answer, type Answers, type Request, VERSION } from "./protocol.js";

/** The options of {@link vault}: `worker`, `clientId`, and either `issuer` or `tokenEndpoint`. */
export interface VaultOptions {
  /**
   * The address of `tokentide/dist/vault-worker.js`, which the app serves as it is: a path, or a URL of the page's own origin. A deploy must not
   * change it, since a new address is a new worker, which has no refresh token. Or a function that makes a worker of the app's own, in which
   * `keepTokens` runs; with `shared`, it is called for each message.
   */
  worker: string | (() => SharedWorker | Worker);
  /** The issuer's URL, as in `oauth2`. */
  issuer?: string;
  /** The token endpoint, as in `oauth2`. */
  tokenEndpoint?: string;
  /** The identifier of a public client (RFC 6749 §2.2). */
  clientId: string;
  /** As in `oauth2`. A worker of the app's own has it in `keepTokens`. @default the granted scope */
  scope?: string;
  /** As in `oauth2`. A worker of the app's own has them in `keepTokens`. @default none */
  parameters?: Readonly<Record<string, string>>;
  /** As in `oauth2`. A worker of the app's own has it in `keepTokens`. @default the endpoint of `issuer`; none with `tokenEndpoint` */
  revocationEndpoint?: string;
  /**
   * Whether all tabs share one worker. If false, each tab has a worker of its own, and the session is in memory mode: it ends with the tab that
   * signed in. @default whether the browser has `SharedWorker`
   */
  shared?: boolean;
}

/** The result of a login: RFC 6749 §4.1.3, RFC 7636 §4.5. */
export interface AuthorizationCode {
  /** The `code` of the redirect. */
  code: string;
  /** The verifier of PKCE. @default none */
  codeVerifier?: string;
  /** The redirect URI of the login's request. @default none */
  redirectUri?: string;
}

/** Made by {@link vault}, for the option `refresh`. */
export interface Vault extends RefreshStrategy {
  /**
   * Exchanges the code of a login in the worker, so the refresh token never comes into the page. Returns the tokens for `signIn`. Settles within
   * 35 seconds.
   *
   * @throws {SessionError} `rejected` when the server refuses the code, or `network`, `timeout`, `throttled`, `server`, `configuration`,
   * `invalid-response`, `unsupported-token-type`
   */
  exchangeCode(login: AuthorizationCode): Promise<TokenSet>;
}

/** The longest time for which a page waits for the worker. The worker waits for 30 s for the server. */
const WORKER_WAIT_MS = 35_000;
const NOT_LOADED =
  "vault: the browser did not load the worker; its address is wrong, or the content security policy has no worker-src for it";

/**
 * Keeps the refresh token in a worker, where script of the page cannot read it: the session has a handle in its place. All tabs share the
 * worker. A tab that closes, crashes or freezes during a renewal loses nothing, since the worker goes on, and the next tab gets its answer.
 *
 * The worker stores nothing, so the session ends with the last tab: the next page has the access token until it expires, and then the reason is
 * `credential-lost`. A stored session of `oauth2` with the same name, endpoint and client is taken over.
 *
 * @throws {TypeError} when an option is missing, wrong or unknown.
 */
export function vault(options: VaultOptions): Vault {
  const { worker, issuer, tokenEndpoint, clientId, scope, parameters, revocationEndpoint } = options ?? {};
  const { shared = typeof SharedWorker === "function" } = options ?? {};
  const further = { scope, parameters, revocationEndpoint };
  assertKnown("vault", options, { worker, issuer, tokenEndpoint, clientId, ...further, shared });
  const own = typeof worker === "function";
  if (!own && !/^(https?:\/)?\/(?!\/)[^\s\\]*$/.test(worker))
    throw new TypeError('vault: worker must be a path that begins with "/", a URL of this origin, or a function that returns a worker');
  if (typeof clientId !== "string" || !clientId || typeof (issuer ?? tokenEndpoint) !== "string" || (issuer && tokenEndpoint))
    throw new TypeError("vault: clientId must be a non-empty string, and either issuer or tokenEndpoint must be a URL");
  if (typeof shared !== "boolean") throw new TypeError("vault: shared must be a boolean");
  if (own && (scope || parameters || revocationEndpoint))
    throw new TypeError("vault: a worker of your own has scope, parameters and revocationEndpoint in keepTokens");
  const client = `${issuer ?? tokenEndpoint} ${clientId}`;
  const config = {
    ...{ issuer, token_endpoint: tokenEndpoint, client_id: clientId, scope },
    ...{ parameters: parameters && JSON.stringify(parameters), revocation_endpoint: revocationEndpoint },
  };
  const line = connectWorker(own ? worker : () => workerAt(worker, shared, config), shared);
  let environment = browserEnvironment();
  /** The milliseconds for which the session waits for an answer after its deadline. */
  let patience = 0;

  /** Sends a message, and returns the answer. The session aborts a renewal; any other message has a limit of its own. */
  async function ask<Kind extends keyof Answers>(request: Request & { kind: Kind }, signal?: AbortSignal): Promise<Answers[Kind]> {
    const limit = new AbortController();
    const end = environment.monotonic() + WORKER_WAIT_MS;
    const stops = [
      deadline(environment, end, () => limit.abort(new SessionError("timeout", "the worker of vault did not answer", { lost: true }))),
    ];
    try {
      const answer = new Promise<Answer>((resolve, reject) => {
        const fail = () => reject(new SessionError(signal && request.kind === "take" ? "network" : "configuration", NOT_LOADED));
        stops.push(line.send({ ...request, client, version: VERSION }, resolve as (answer: unknown) => void, fail));
      });
      const given = await abortable(answer, signal ?? limit.signal);
      if (!("failed" in given)) return given as Answers[Kind];
      const { code, message, retryDate, ...details } = given.failed;
      throw Object.assign(new SessionError(code, message, details), { retryDate });
    } catch (thrown) {
      if (isSessionError(thrown)) throw thrown;
      throw new SessionError("configuration", `vault: the worker cannot be used: ${(thrown as Error).message}`);
    } finally {
      for (const stop of stops) stop();
    }
  }

  /** Returns the handle of a refresh token. The record of a session of `oauth2` has the refresh token itself. */
  async function handleFor(refreshToken: string, signal?: AbortSignal): Promise<string> {
    return isHandle(refreshToken) ? refreshToken : (await ask({ kind: "take", refreshToken }, signal)).handle;
  }

  const strategy: Vault & ConnectedStrategy = {
    id: client,
    clientId,
    needsRefreshToken: true,
    takesAudience: true,
    persist: shared ? undefined : memory(),
    async take(tokens) {
      return tokens.refreshToken ? { ...tokens, refreshToken: await handleFor(tokens.refreshToken) } : tokens;
    },
    async refresh({ tokens, parameters, signal, admit }) {
      const handle = await handleFor(tokens.refreshToken ?? "", signal);
      const rest = admit?.() ?? WORKER_WAIT_MS;
      const until = environment.now() + rest;
      return (await ask({ kind: "refresh", handle, parameters, until, patience: Math.min(patience + rest, LONGEST_LEASE_MS) }, signal))
        .tokens;
    },
    async revoke({ tokens }) {
      await ask({ kind: "revoke", handle: await handleFor(tokens.refreshToken ?? "") });
    },
    async exchangeCode(login) {
      const { code, codeVerifier, redirectUri } = login ?? {};
      assertKnown("exchangeCode", login, { code, codeVerifier, redirectUri });
      for (const [name, value] of Object.entries({ code, codeVerifier: codeVerifier ?? "x", redirectUri: redirectUri ?? "x" }))
        if (!value || typeof value !== "string") throw new TypeError(`exchangeCode: ${name} must be a non-empty string`);
      return (await ask({ kind: "exchange", code, codeVerifier, redirectUri })).tokens;
    },
    connect(context, { known, renew }) {
      ({ environment } = context);
      // Two sessions may have one strategy. It does no harm to wait longer: a later page joins the request.
      patience = Math.max(patience, patienceOf(context.settings, false) - context.settings.refreshTimeout);
      const { ledger, report, tabs, waits } = context;

      /** Takes the refresh token of a session of `oauth2` out of the record. A tab of that app may bring another one later. */
      async function takeOver(): Promise<void> {
        const { tokens: { refreshToken } = {}, refreshing } = ledger.current ?? {};
        if (!refreshToken || isHandle(refreshToken) || refreshing) return;
        const handle = await handleFor(refreshToken);
        if (waits.disposed) return;
        await ledger.apply(handOver(refreshToken, handle));
        tabs.announce();
      }

      async function begin(): Promise<void> {
        if (waits.disposed || !environment.origin) return;
        line.hold();
        await known;
        report.on("change", () => takeOver().catch(complain));
        await takeOver();
        const handle = ledger.current?.tokens?.refreshToken;
        if (!handle || !isHandle(handle) || (await ask({ kind: "holds", handle })).holds) return;
        // Another session may have begun meanwhile.
        if (ledger.current?.tokens?.refreshToken === handle) renew();
      }

      // The next renewal meets the same error.
      const complain = (error: Error) => report.warnOnce(error.message);
      // A prerendered page, which may never be shown, starts no worker.
      waits.whenActive(() => begin().catch(complain));
    },
  };
  return strategy;
}
