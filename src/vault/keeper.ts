import { isSessionError, SessionError } from "../errors.js";
import { deadline } from "../platform/timers.js";
import { createClient, type OAuth2Options, refreshGrant } from "../strategies/oauth2.js";
import type { Network } from "../strategies/request.js";
import { parseTokens } from "../token/parse.js";
import type { Environment } from "../types/environment.js";
import type { TokenSet } from "../types/index.js";
import { createGrants, type Grant, handleOf } from "./grants.js";
import { type Answer, type Failed, type Message, problemOf, type Requests } from "./protocol.js";

/** Everything that a worker uses of the browser. */
export interface KeeperEnvironment extends Pick<Environment, "now" | "monotonic" | "setTimeout" | "clearTimeout" | "fetch" | "origin"> {
  /** Returns 128 random bits as a text without a dot. */
  randomId(): string;
}

/** Keeps refresh tokens, and gives a handle in place of each. */
export interface Keeper {
  /** Answers a message of a page. It never rejects. */
  answer(data: unknown): Promise<Answer>;
}

/** The options of {@link oauth2} without `answer`. */
export type KeeperOptions = OAuth2Options & { answer?: never };

/** An answer serves older handles for this time, in milliseconds. After it, they cause another renewal. */
const ANSWER_SERVES_MS = 60_000;
/** The time for which the worker waits for the server where the page does not say it, in milliseconds. */
const ANSWER_WAIT_MS = 30_000;

/** @throws {TypeError} when an option is missing, not a string, or unknown */
export function createKeeper(options: KeeperOptions, environment: KeeperEnvironment): Keeper {
  const client = createClient("keepTokens", options);
  const grants = createGrants(environment.randomId);

  /** Calls `send` with a network that ends its requests after `patience` milliseconds. */
  async function withNetwork<T>(send: (network: Network) => Promise<T>, patience = ANSWER_WAIT_MS): Promise<T> {
    const controller = new AbortController();
    const stop = deadline(environment, environment.monotonic() + patience, () => controller.abort());
    try {
      return await send({ fetch: environment.fetch, origin: environment.origin, signal: controller.signal });
    } finally {
      stop();
    }
  }

  function tellServer(refreshToken: string): void {
    withNetwork(async (network) => client.revoke?.(refreshToken, network)).catch(() => {});
  }

  /** `rescued` gets the refresh token of an answer that is of no other use. */
  async function redeem(form: Readonly<Record<string, string>>, rescued?: TokenSet, patience?: number): Promise<TokenSet> {
    return parseTokens(await withNetwork((network) => client.redeem(form, network), patience), { rescued });
  }

  async function renew(grant: Grant, { parameters, patience }: Requests["refresh"], key: string): Promise<TokenSet> {
    const rescued: TokenSet = {};
    try {
      const tokens = await redeem({ ...parameters, ...refreshGrant(grant.refreshToken) }, rescued, patience);
      if (grant.over) throw gone();
      grant.serial++;
      const answer = { ...tokens, refreshToken: handleOf(grant) };
      grant.last = { parameters: key, tokens: answer, at: environment.monotonic() };
      return answer;
    } catch (error) {
      if (isSessionError(error) && error.code === "rejected") grant.over ??= "rejected";
      throw error;
    } finally {
      grant.underWay = undefined;
      grant.refreshToken = rescued.refreshToken || grant.refreshToken;
      // A page has revoked the grant during the request.
      if (grant.over === "credential-lost") tellServer(grant.refreshToken);
      if (grant.over) grant.refreshToken = "";
    }
  }

  async function refresh(request: Requests["refresh"]): Promise<TokenSet> {
    const { handle, until } = request;
    const key = JSON.stringify(Object.entries(request.parameters ?? {}).sort());
    for (;;) {
      const grant = grants.find(handle);
      if (!grant) throw gone();
      grants.touch(grant);
      if (grant.over) throw new SessionError(grant.over, "the server refused to renew");
      const { underWay } = grant;
      if (underWay?.parameters === key) return underWay.answer;
      if (underWay) {
        await underWay.answer.catch(() => {});
        continue;
      }
      const known = handle === handleOf(grant) ? undefined : lastAnswer(grant, key, environment.monotonic());
      if (known) return known;
      if (environment.now() > until) throw new SessionError("timeout", "too late to refresh");
      const answer = renew(grant, request, key);
      grant.underWay = { parameters: key, answer };
      return answer;
    }
  }

  async function exchange({ code, codeVerifier, redirectUri }: Requests["exchange"]): Promise<TokenSet> {
    const { refreshToken, ...tokens } = await redeem({
      grant_type: "authorization_code",
      code,
      ...(codeVerifier && { code_verifier: codeVerifier }),
      ...(redirectUri && { redirect_uri: redirectUri }),
    });
    return { ...tokens, refreshToken: refreshToken && handleOf(grants.add(refreshToken)) };
  }

  function revoke({ handle }: Requests["revoke"]): void {
    const grant = grants.find(handle);
    if (!grant) return;
    grants.forget(grant);
    if (grant.over) return;
    grant.over = "credential-lost";
    // After a request under way, its answer is revoked.
    if (!grant.underWay) tellServer(grant.refreshToken);
  }

  async function carryOut(message: Message): Promise<Answer> {
    switch (message.kind) {
      case "exchange":
        return { tokens: await exchange(message) };
      case "take":
        return { handle: handleOf(grants.add(message.refreshToken)) };
      case "refresh":
        return { tokens: await refresh(message) };
      case "holds":
        return { holds: !!grants.find(message.handle) };
      case "revoke":
        revoke(message);
        return { holds: false };
    }
  }

  return {
    async answer(data) {
      try {
        const problem = problemOf(data, client.id);
        if (problem) throw new SessionError("configuration", problem);
        return await carryOut(data as Message);
      } catch (thrown) {
        return { failed: failedBy(thrown) };
      }
    },
  };
}

/** Returns the last answer with what is left of its lifetimes, while it serves. */
function lastAnswer({ last }: Grant, key: string, now: number): TokenSet | undefined {
  const age = last ? now - last.at : Infinity;
  if (last?.parameters !== key || age >= ANSWER_SERVES_MS) return undefined;
  const left = (seconds: number | undefined) => seconds && seconds - age / 1000;
  const answer = { ...last.tokens, expiresIn: left(last.tokens.expiresIn), sessionExpiresIn: left(last.tokens.sessionExpiresIn) };
  return answer.expiresIn! <= 0 || answer.sessionExpiresIn! <= 0 ? undefined : answer;
}

const gone = () => new SessionError("credential-lost", "the worker of vault does not have the refresh token any more: log in again");

/** Returns the members of the error that a page may see. */
function failedBy(thrown: unknown): Failed {
  if (!isSessionError(thrown)) return { code: "configuration", message: "the worker of vault failed" };
  const { code, message, status, lost, retryAfter, retryDate } = thrown;
  return { code, message, status, lost, retryAfter, retryDate };
}
