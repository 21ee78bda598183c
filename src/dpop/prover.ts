import { bareError, SessionError } from "../errors.js";
import { type Call, discard, isOneShot } from "../http/call.js";
import type { Binding } from "../ledger/binding.js";
import { lastRenewal } from "../ledger/facts.js";
import { isNumber, type LedgerRecord, type LedgerTokens } from "../ledger/record.js";
import { mayWrite } from "../ledger/transitions/index.js";
import type { SessionContext } from "../session/context.js";
import { readClaims } from "../token/claims.js";
import type { Environment } from "../types/environment.js";
import type { TokenSet } from "../types/index.js";
import { type Challenge, challengeOfApi, challengeOfServer, nonceIn } from "./challenge.js";
import { cryptoOf, isKeyPair, makeKeyPair } from "./key.js";
import { makeProof } from "./proof.js";

/** The proofs of one attempt to renew. */
export interface TokenProver {
  /** Sends the request with a proof, and answers the server's challenges, each kind once. `send` throws when it is too late to send. */
  send(send: typeof fetch, input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /** Returns the key of the attempt, and what its next proof needs. */
  binding(): Omit<Binding, "scheme"> | undefined;
  /**
   * Returns the tokens of the answer with their key.
   * @throws {SessionError} `configuration` when they are bound, and the request had no proof of the session
   */
  bound(fresh: TokenSet): LedgerTokens;
}

export interface Prover {
  /** Sends a call with its bound token. Returns undefined for a bearer token. */
  carry(transport: typeof fetch, input: string | Request, call: Call, sent: Sent): Promise<Response> | undefined;
  /** Makes the proof of one request to an API. */
  prove(binding: Binding, request: { url: string; method: string; accessToken: string }): Promise<string>;
  /** `begins`: the attempt begins a session, so the key of an earlier one does not count. */
  forAttempt(lease: LedgerRecord, begins: boolean): TokenProver;
}

export interface ProverParts {
  readonly environment: Environment;
  readonly clock: SessionContext["clock"];
  readonly ledger: Pick<SessionContext["ledger"], "current" | "read">;
  readonly report: Pick<SessionContext["report"], "warnOnce">;
  isOfFormerUser(sent: Sent): boolean;
}

/** The parts that the proofs of all requests share. */
interface TokenProverParts extends Pick<ProverParts, "environment" | "ledger"> {
  sign(binding: Pick<Binding, "keyPair" | "skew">, request: Omit<Parameters<typeof makeProof>[2], "now">): Promise<string>;
  skewOf(binding: Pick<Binding, "skew">): number;
  /** Corrects the time of proofs. Returns false if that changes nothing. */
  correct(used: number): boolean;
}

/** A smaller difference of the clocks does not explain a refused proof. */
const LEAST_SKEW_MS = 2000;
/** The most sends of one call, with those that answer a challenge. */
const MOST_SENDS = 4;
/** The most origins whose nonces a page keeps. */
const MOST_NONCES = 50;
const NOT_READABLE =
  "dpop: a server asks for a nonce again and again, or script cannot read it: it must send Access-Control-Expose-Headers: DPoP-Nonce";
const REFUSED = "dpop: a server refused the proof; the device's clock may be wrong, or its nonces expire too soon";

/** A token, and the key to which it is bound. */
export interface Sent {
  readonly token: string;
  readonly binding?: Binding | undefined;
}

/** A transport may change the headers that it gets, so each send has its own. */
function withHeaders(init: RequestInit, given: HeadersInit | undefined, further: Record<string, string>): RequestInit {
  const headers = new Headers(given);
  for (const [name, value] of Object.entries(further)) headers.set(name, value);
  return { ...init, headers };
}

export function createProver({ environment, clock, ledger, report, isOfFormerUser }: ProverParts): Prover {
  /** The last nonce of each API. A server takes only its own, so each origin has one. */
  const nonces = new Map<string, string>();
  /** The milliseconds by which the servers' clock is ahead, since a server refused a proof of this page. */
  let corrected: number | undefined;

  const skewOf = ({ skew }: Pick<Binding, "skew">): number => corrected ?? (isNumber(skew) ? skew : 0);

  /**
   * Corrects the time of proofs by the last tokens, whose `iat` is the server's time. Some servers date their tokens back, so this happens only
   * after a refusal. Returns false if it changes nothing.
   */
  function correct(used: number): boolean {
    const record = ledger.current;
    const claims = readClaims(record?.tokens?.accessToken) ?? readClaims(record?.tokens?.idToken);
    const seen = record && typeof claims?.iat === "number" ? claims.iat * 1000 - clock.toDevice(lastRenewal(record).at) : 0;
    // The device's clock may have been set right since those tokens came: then it needs no correction.
    const skew = [seen, 0].find((each) => Math.abs(each - used) > LEAST_SKEW_MS);
    corrected = skew ?? corrected;
    return skew !== undefined;
  }

  function sign(binding: Pick<Binding, "keyPair" | "skew">, request: Omit<Parameters<typeof makeProof>[2], "now">): Promise<string> {
    const now = environment.now() + skewOf(binding);
    return makeProof(cryptoOf(environment), binding.keyPair, { ...request, now }).catch((thrown: unknown) => {
      throw new SessionError("storage", "dpop: the key of the session cannot sign", { cause: bareError(thrown, {}) });
    });
  }

  function learn(origin: string, nonce: string | undefined): void {
    if (!nonce) return;
    nonces.delete(origin);
    nonces.set(origin, nonce);
    for (const oldest of nonces.keys()) if (nonces.size > MOST_NONCES) nonces.delete(oldest);
  }

  async function carry(transport: typeof fetch, first: string | Request, call: Call, sent: Required<Sent>): Promise<Response> {
    const { binding, token } = sent as { binding: Binding; token: string };
    const { url, init } = call;
    const { origin } = new URL(url);
    const answered = new Set<Challenge>();
    // The body of a stream can be sent once. Its call gets the 401, and the next call has the nonce.
    const isOver = () => call.sends + call.challenges >= MOST_SENDS || isOneShot(init.body) || isOfFormerUser(sent);
    for (let input = first; ; call.challenges++) {
      const method = init.method ?? (typeof input === "string" ? "GET" : input.method);
      const used = { nonce: nonces.get(origin), skew: skewOf(binding) };
      const proof = await sign(binding, { url, method, accessToken: token, nonce: used.nonce });
      // Much may happen during a signature.
      call.signal?.throwIfAborted();
      if (isOfFormerUser(sent)) throw new SessionError("user-changed", "another user has signed in; the request was not sent");
      // Firefox has no `body` of a Request.
      const spare = typeof input !== "string" && input.body !== null && !init.body ? input.clone() : undefined;
      const response = await transport(input, withHeaders(init, init.headers, { authorization: `DPoP ${token}`, dpop: proof }));
      // After a redirect, another server may have answered.
      const isOwn = !response?.redirected || `${response.url}`.startsWith(`${origin}/`);
      const nonce = isOwn ? nonceIn(response) : undefined;
      learn(origin, nonce);
      const challenge = isOwn ? challengeOfApi(response, used.nonce) : undefined;
      const cures = challenge === "use_dpop_nonce" ? !!nonce && nonce !== used.nonce : !!challenge && correct(used.skew);
      if (challenge && (!cures || answered.has(challenge))) report.warnOnce(challenge === "use_dpop_nonce" ? NOT_READABLE : REFUSED);
      if (!challenge || !cures || answered.has(challenge) || isOver()) {
        discard(spare);
        return response;
      }
      answered.add(challenge);
      discard(response);
      input = spare ?? input;
    }
  }

  return {
    carry(transport, input, call, sent) {
      return sent.binding?.scheme === "DPoP" ? carry(transport, input, call, sent as Required<Sent>) : undefined;
    },
    prove: (binding, request) => sign(binding, { ...request, nonce: nonces.get(new URL(request.url).origin) }),
    forAttempt: (lease, begins) => proverOf({ environment, ledger, sign, skewOf, correct }, lease, begins),
  };
}

/** Makes the proofs of one attempt to renew. */
function proverOf({ environment, ledger, sign, skewOf, correct }: TokenProverParts, lease: LedgerRecord, begins: boolean): TokenProver {
  const { tokens, pendingKey } = lease;
  let binding: Omit<Binding, "scheme"> | undefined = begins
    ? isKeyPair(pendingKey)
      ? { keyPair: pendingKey }
      : undefined
    : tokens?.binding;

  async function post(send: typeof fetch, first: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
    const { url, method } = new Request(first instanceof Request ? first.clone() : first, { ...init, body: null });
    const { origin } = new URL(url);
    const answered = new Set<Challenge>();
    for (let input = first; ; ) {
      binding ??= { keyPair: await makeKeyPair(environment) };
      const skew = skewOf(binding);
      const sent = binding.nonce?.origin === origin ? binding.nonce.value : undefined;
      const proof = await sign(binding, { url, method, nonce: sent });
      const spare: RequestInfo | URL = input instanceof Request ? input.clone() : input;
      const response = await send(
        input,
        withHeaders(init, init.headers ?? (input instanceof Request ? input.headers : undefined), { dpop: proof }),
      );
      const nonce = nonceIn(response);
      if (nonce) binding = { ...binding, nonce: { origin, value: nonce } };
      const challenge = await challengeOfServer(response);
      if (!challenge) {
        if (spare instanceof Request) discard(spare);
        return response;
      }
      const { status } = response;
      if (isOneShot(init.body))
        throw new SessionError("server", "dpop: the server asks for a nonce, and a stream can be sent once", { status });
      const cures = challenge === "use_dpop_nonce" ? !!nonce && nonce !== sent : correct(skew);
      // Another nonce may have expired on the way, as while the device slept. A later attempt has a new one.
      if (!cures && challenge === "use_dpop_nonce") throw new SessionError("configuration", NOT_READABLE, { status });
      if (!cures || answered.has(challenge)) throw new SessionError("server", REFUSED, { status });
      // The page may have stood still, and another tab that took over meanwhile may have used the refresh token.
      await ledger.read();
      if (!mayWrite(ledger.current, lease)) throw new SessionError("timeout", "too late to refresh");
      answered.add(challenge);
      input = spare;
    }
  }

  const present = () => binding && { ...binding, skew: skewOf(binding) || undefined };
  return {
    send: post,
    binding: present,
    bound(fresh) {
      if (fresh.tokenType && !binding)
        throw new SessionError("configuration", "dpop: the tokens are bound to another key; send the request through the given fetch");
      return { ...fresh, binding: present() as Binding | undefined };
    },
  };
}
