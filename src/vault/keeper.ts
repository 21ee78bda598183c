import { isSessionError, SessionError } from "../errors.js";
import { createClient, type OAuth2Options, refreshGrant } from "../strategies/oauth2.js";
import type { Environment } from "../types/environment.js";
import type { TokenSet } from "../types/index.js";
import { aged, instantIn } from "./answer.js";
import { createExchange } from "./exchange.js";
import { createGrants, type Grant, handleOf } from "./grants.js";
import { type Answer, type Failed, type Message, problemOf, type Requests } from "./protocol.js";
import { createServer, type NetworkEnvironment } from "./server.js";

/** Everything that a worker uses of the browser. */
export interface KeeperEnvironment extends NetworkEnvironment, Pick<Environment, "now"> {
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

/** @throws {TypeError} when an option is missing, not a string, or unknown */
export function createKeeper(options: KeeperOptions, environment: KeeperEnvironment): Keeper {
  const client = createClient("keepTokens", options);
  const server = createServer(client, environment);
  const grants = createGrants(environment.randomId);
  const exchange = createExchange(server, grants, environment);

  /** Returns the last answer, while it serves. */
  const lastAnswer = ({ last }: Grant, key: string) => (last?.parameters === key ? aged(last.tokens, last.sent, environment) : undefined);

  async function renew(grant: Grant, { parameters, patience }: Requests["refresh"], key: string): Promise<TokenSet> {
    const rescued: TokenSet = {};
    const sent = instantIn(environment);
    try {
      const tokens = await server.redeem({ ...parameters, ...refreshGrant(grant.refreshToken) }, patience, rescued);
      if (grant.over) throw gone();
      grant.serial++;
      const answer = { ...tokens, refreshToken: handleOf(grant) };
      grant.last = { parameters: key, tokens: answer, sent };
      return answer;
    } catch (error) {
      if (isSessionError(error) && error.code === "rejected") grant.over ??= "rejected";
      throw error;
    } finally {
      grant.underWay = undefined;
      grant.refreshToken = rescued.refreshToken || grant.refreshToken;
      // A page has revoked the grant during the request.
      if (grant.over === "credential-lost") server.revoke(grant.refreshToken);
      if (grant.over) grant.refreshToken = grant.given = "";
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
      const known = handle === handleOf(grant) ? undefined : lastAnswer(grant, key);
      if (known) return known;
      const { underWay } = grant;
      if (!underWay) {
        if (environment.now() > until) throw new SessionError("timeout", "too late to refresh");
        const answer = renew(grant, request, key);
        grant.underWay = { parameters: key, answer };
        return answer;
      }
      // The success of a request under way is the last answer then. Its failure is this caller's, too, if both want the same.
      await underWay.answer.catch((error: unknown) => {
        if (underWay.parameters === key) throw error;
      });
    }
  }

  function revoke({ handle }: Requests["revoke"]): void {
    const grant = grants.find(handle);
    if (!grant) return;
    grants.forget(grant);
    if (grant.over) return;
    grant.over = "credential-lost";
    // After a request under way, its answer is revoked.
    if (!grant.underWay) server.revoke(grant.refreshToken);
  }

  async function carryOut(message: Message): Promise<Answer> {
    switch (message.kind) {
      case "exchange":
        return { tokens: await exchange(message) };
      case "take":
        return { handle: grants.add(message.refreshToken) };
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

const gone = () => new SessionError("credential-lost", "the worker of vault does not have the refresh token any more: log in again");

/** Returns the members of the error that a page may see. */
function failedBy(thrown: unknown): Failed {
  if (!isSessionError(thrown)) return { code: "configuration", message: "the worker of vault failed" };
  const { code, message, status, lost, retryAfter, retryDate } = thrown;
  return { code, message, status, lost, retryAfter, retryDate };
}
