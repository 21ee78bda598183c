import { isSessionError, SessionError } from "../errors.js";
import { HANDLE } from "../ledger/record.js";
import { createClient, type OAuth2Options, refreshGrant } from "../strategies/oauth2.js";
import type { Network } from "../strategies/request.js";
import { parseTokens } from "../token/parse.js";
import type { Environment } from "../types/environment.js";
import type { TokenSet } from "../types/index.js";
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

/** The session of one login at the server. Each answer has a handle of its own: the id of the grant, and a serial number. */
interface Grant {
  readonly id: string;
  refreshToken: string;
  /** The number of the last handle. */
  serial: number;
  /** The code with which each renewal fails: the server has refused the refresh token, or a page has revoked the grant. */
  over?: "rejected" | "credential-lost";
  /** The request under way. A second request would present the same refresh token. */
  underWay?: { readonly parameters: string; readonly answer: Promise<TokenSet> } | undefined;
  /** The last answer. It is also the answer to an older handle than its own: the tab that asked may have died before it stored the answer. */
  last?: { readonly parameters: string; readonly tokens: TokenSet; readonly at: number } | undefined;
}

/** The most grants. The longest unused one goes first. */
const MOST_GRANTS = 50;
/** An answer serves older handles for this time, in milliseconds. After it, they cause another renewal. */
const ANSWER_SERVES_MS = 60_000;
/** The longest time for which the worker waits for the server, in milliseconds: as long as `takeoverAfter` is by default. */
const ANSWER_WAIT_MS = 30_000;

/** @throws {TypeError} when an option is missing, not a string, or unknown */
export function createKeeper(options: KeeperOptions, environment: KeeperEnvironment): Keeper {
  const client = createClient("keepTokens", options);
  /** The grants by their id, in the order of their last use. */
  const grants = new Map<string, Grant>();

  function find(handle: string): Grant | undefined {
    const [id = "", serial] = handle.slice(HANDLE.length).split(".");
    const grant = grants.get(id);
    return grant && Number(serial) <= grant.serial ? grant : undefined;
  }

  const isLatest = (handle: string, { serial }: Grant): boolean => handle.endsWith(`.${serial}`);

  function touch(grant: Grant): void {
    grants.delete(grant.id);
    grants.set(grant.id, grant);
    for (const oldest of grants.keys()) if (grants.size > MOST_GRANTS) grants.delete(oldest);
  }

  const handleOf = ({ id, serial }: Grant): string => `${HANDLE}${id}.${serial}`;

  /** Calls `send` with a network that ends its requests after `ANSWER_WAIT_MS`. */
  async function withNetwork<T>(send: (network: Network) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const timer = environment.setTimeout(() => controller.abort(), ANSWER_WAIT_MS);
    try {
      return await send({ fetch: environment.fetch, origin: environment.origin, signal: controller.signal });
    } finally {
      environment.clearTimeout(timer);
    }
  }

  function tellServer(refreshToken: string): void {
    withNetwork(async (network) => client.revoke?.(refreshToken, network)).catch(() => {});
  }

  /** `rescued` gets the refresh token of an answer that is of no other use. */
  async function redeem(form: Readonly<Record<string, string>>, rescued?: TokenSet): Promise<TokenSet> {
    return parseTokens(await withNetwork((network) => client.redeem(form, network)), { rescued });
  }

  async function renew(grant: Grant, parameters: Readonly<Record<string, string>>, key: string): Promise<TokenSet> {
    const rescued: TokenSet = {};
    try {
      const tokens = await redeem({ ...parameters, ...refreshGrant(grant.refreshToken) }, rescued);
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

  /** Returns the last answer with what is left of its lifetimes, while it serves. */
  function lastAnswer({ last }: Grant, key: string): TokenSet | undefined {
    const age = last ? environment.monotonic() - last.at : Infinity;
    if (last?.parameters !== key || age >= ANSWER_SERVES_MS) return undefined;
    const left = (seconds: number | undefined) => seconds && seconds - age / 1000;
    const answer = { ...last.tokens, expiresIn: left(last.tokens.expiresIn), sessionExpiresIn: left(last.tokens.sessionExpiresIn) };
    return answer.expiresIn! <= 0 || answer.sessionExpiresIn! <= 0 ? undefined : answer;
  }

  async function refresh({ handle, parameters = {}, until }: Requests["refresh"]): Promise<TokenSet> {
    const key = JSON.stringify(Object.entries(parameters).sort());
    for (;;) {
      const grant = find(handle);
      if (!grant) throw gone();
      touch(grant);
      if (grant.over) throw new SessionError(grant.over, "the server refused to renew");
      const { underWay } = grant;
      if (underWay?.parameters === key) return underWay.answer;
      if (underWay) {
        await underWay.answer.catch(() => {});
        continue;
      }
      const known = isLatest(handle, grant) ? undefined : lastAnswer(grant, key);
      if (known) return known;
      if (environment.now() > until) throw new SessionError("timeout", "too late to refresh");
      const answer = renew(grant, parameters, key);
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
    return { ...tokens, refreshToken: refreshToken && take({ refreshToken }) };
  }

  function take({ refreshToken }: Requests["take"]): string {
    // Two tabs may find the same stored refresh token.
    const known = [...grants.values()].find((grant) => grant.refreshToken === refreshToken);
    const grant = known ?? { id: environment.randomId(), refreshToken, serial: 0 };
    touch(grant);
    return handleOf(grant);
  }

  function revoke({ handle }: Requests["revoke"]): void {
    const grant = find(handle);
    if (!grant) return;
    grants.delete(grant.id);
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
        return { handle: take(message) };
      case "refresh":
        return { tokens: await refresh(message) };
      case "holds":
        return { holds: !!find(message.handle) };
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
        return { failed: failedBy(thrown, environment.now()) };
      }
    },
  };
}

const gone = () => new SessionError("credential-lost", "the worker of vault does not have the refresh token any more: log in again");

/** Returns the members of the error that a page may see. */
function failedBy(thrown: unknown, now: number): Failed {
  if (!isSessionError(thrown)) return { code: "configuration", message: "the worker of vault failed" };
  const { code, message, status, lost, retryAfter, retryDate } = thrown;
  return { code, message, status, lost, retryAfter: retryAfter ?? (retryDate && retryDate - now) };
}
