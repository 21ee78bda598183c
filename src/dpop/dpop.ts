import { assertKnown, SessionError } from "../errors.js";
import type { Binding } from "../ledger/binding.js";
import { isNewerRelease } from "../ledger/format.js";
import type { LedgerRecord, LedgerTokens } from "../ledger/record.js";
import { keepPendingKey, noChange, signedOut } from "../ledger/transitions/index.js";
import { keepAlive } from "../platform/timers.js";
import type { SessionContext } from "../session/context.js";
import type { DpopOptions, DpopProofs, SignedOutReason, TokenSet } from "../types/index.js";
import { isKeyPair, keyOf, makeKeyPair } from "./key.js";
import { createProver, type Prover, type ProverParts, type TokenProver } from "./prover.js";

/** The members of a `dpop` that only a session uses. */
export interface DpopPlugin extends DpopProofs {
  readonly option: "dpop";
  /** The token types that the session takes, in lower case. */
  readonly types: readonly string[];
  connect(context: SessionContext, parts: Pick<ProverParts, "isOfFormerUser"> & { restored(): Promise<void> }): void;
  /** Returns the reason to end the session of a record whose key is gone. A tab without the tokens cannot tell. */
  lost(record: LedgerRecord): SignedOutReason | undefined;
  /** Returns the binding of new tokens. `old`: that of the session that they renew. `pending`: the key of the login. */
  bind(tokens: LedgerTokens, old: Binding | undefined, pending: CryptoKeyPair | undefined): Binding | undefined;
  /** Returns the tokens of a sign-in, with the key to which the login bound them. `given`: the argument of `signIn`. */
  forSignIn(tokens: TokenSet, given: unknown): Promise<TokenSet>;
  /** Returns the proofs of one attempt to renew. */
  prover(lease: LedgerRecord, begins: boolean): TokenProver;
  readonly carry: Prover["carry"];
}

/** The longest wait of `keyPair` for storage. Then this tab alone has the key. */
const STORAGE_WAIT_MS = 3000;

/**
 * Makes the option `dpop` (RFC 9449): each request proves that its sender has the key of the tokens. Script of the page can use that key while
 * the page is open, and cannot copy it. So a stolen token is of no use elsewhere.
 *
 * The login has to use the same key: give `await proofs.keyPair()` to it, for example to `oauth4webapi`. The key is in the record with the
 * tokens; each sign-in has one of its own, and a sign-out removes it. Nonces and a wrong clock of the device are the session's job.
 *
 * An object of `dpop` serves one session. `createSession` throws a `TypeError` if its strategy cannot send proofs (`tokenPair`, `cookie`, `sliding`).
 *
 * @throws {TypeError} when an option is wrong or unknown.
 */
export function dpop(options: DpopOptions = {}): DpopProofs {
  const { acceptBearer = false } = options;
  assertKnown("dpop", options, { acceptBearer });
  if (typeof acceptBearer !== "boolean") throw new TypeError("dpop: acceptBearer must be a boolean");
  let session: { readonly context: SessionContext; readonly prover: Prover; restored(): Promise<void> } | undefined;
  /** The key of the login in this page, until a sign-in takes it. Another tab's sign-in may have taken the stored one. */
  let mine: CryptoKeyPair | undefined;

  function connected() {
    if (session) return session;
    throw new TypeError("dpop: give this object to createSession({ dpop }) first");
  }

  async function keyPair(): Promise<CryptoKeyPair> {
    const { context } = connected();
    const { environment, ledger, clock, tab } = context;
    context.waits.assertAlive();
    const made = await makeKeyPair(environment);
    // The record where there is none is no end of a session that storage may have.
    const none = { ...signedOut(undefined, { now: clock.now(), tab, random: environment.random }, "user"), epoch: 0 };
    const kept = await context.waits.within(STORAGE_WAIT_MS, ledger.apply(keepPendingKey(made, none, isKeyPair)));
    context.waits.assertAlive();
    // Storage that does not answer gets the first key of this tab later.
    mine = kept?.outcome ?? mine ?? made;
    return mine;
  }

  const plugin: DpopPlugin = {
    option: "dpop",
    types: acceptBearer ? ["dpop", "bearer"] : ["dpop"],
    connect(context, { isOfFormerUser, restored }) {
      const { strategy } = context.settings;
      if (strategy.id && !strategy.takesDpop) throw new TypeError("dpop: refresh must be oauth2({ … }), or a function of your own");
      if (session && !session.context.waits.disposed) throw new TypeError("dpop: each session needs an object of its own");
      session = { context, restored, prover: createProver({ ...context, isOfFormerUser }) };
    },
    lost: ({ signedIn, bound, tokens }) =>
      signedIn && bound && tokens && !isKeyPair(tokens.binding?.keyPair) ? "credential-lost" : undefined,
    bind({ tokenType, dpopKeyPair, binding }, old, pending) {
      const keyPair = dpopKeyPair ?? binding?.keyPair ?? old?.keyPair ?? pending;
      // The token of a response header has no type, and is of the type of the one before.
      const scheme = old && !binding ? old.scheme : tokenType ? "DPoP" : "Bearer";
      return keyPair && { ...old, ...binding, keyPair, scheme };
    },
    async forSignIn(tokens, given) {
      let { dpopKeyPair } = Object(given) as TokenSet;
      if (dpopKeyPair && (!isKeyPair(dpopKeyPair) || dpopKeyPair.privateKey.extractable))
        throw new TypeError("signIn: dpopKeyPair must be a CryptoKeyPair on the curve P-256, whose private key is not extractable");
      if (!dpopKeyPair) {
        const { waits, ledger, environment } = connected().context;
        const read = await waits.within(STORAGE_WAIT_MS, ledger.apply(noChange));
        waits.assertAlive();
        // Another tab's sign-in may have taken the key of this login, or may take it now. Two logins at once share one.
        const keys = [mine, read?.record?.pendingKey].filter(isKeyPair);
        dpopKeyPair = (await keyOf(tokens, keys, environment)) ?? keys[0];
        if (!dpopKeyPair && tokens.tokenType && !isNewerRelease(read?.record))
          // Storage that did not answer may have the key.
          throw new SessionError(
            read ? "configuration" : "storage",
            "signIn: the tokens are bound to a key that the session does not have; log in with keyPair()",
          );
      }
      if (!(given as TokenSet | undefined)?.dpopKeyPair) mine = undefined;
      return dpopKeyPair ? { ...tokens, dpopKeyPair } : tokens;
    },
    prover: (lease, begins) => connected().prover.forAttempt(lease, begins),
    carry: (...call) => connected().prover.carry(...call),
    keyPair: async () => keepAlive(connected().context.environment, keyPair()),
    async proof(request) {
      const { url, method = "GET", accessToken } = request ?? {};
      assertKnown("proof", request, { url, method, accessToken });
      if (typeof method !== "string" || typeof (accessToken ?? "") !== "string")
        throw new TypeError("proof: method and accessToken must be texts");
      if (!/^(https?|wss?):/i.test(`${url}`))
        throw new TypeError('proof: url must be an absolute address, such as "https://api.example.com/socket"');
      const { context, prover, restored } = connected();
      await restored();
      const { tokens, signedIn } = context.ledger.current ?? {};
      const token = accessToken ?? tokens?.accessToken;
      if (!signedIn || !token || !isKeyPair(tokens?.binding?.keyPair))
        throw new SessionError("signed-out", "there is no token that is bound to a key");
      return prover.prove(tokens.binding, { url: new URL(url).href.replace(/^ws/, "http"), method, accessToken: token });
    },
  };
  return plugin;
}
