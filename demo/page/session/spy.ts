import type { Loot } from "./theft.js";

/** The names that servers give to the tokens in their answers. */
export const accessNames = ["access_token", "accessToken", "token"];
const refreshNames = ["refresh_token", "refreshToken"];

export const textIn = (json: object, names: readonly string[]): string | undefined =>
  names.map((name) => (json as Record<string, unknown>)[name]).find((value): value is string => typeof value === "string");

/** The proof of a request, with the address for which it is good. */
export interface StolenProof {
  readonly url: string;
  readonly proof: string;
}

/** Replaces `fetch`, as an injected script could, until `stop`. The requests are sent as they are. */
export function spyOnFetch() {
  const send = globalThis.fetch;
  const seen: { -readonly [Member in keyof Loot]: Loot[Member] } = {};
  const proofs: StolenProof[] = [];

  globalThis.fetch = async (input, init) => {
    const { url, headers } = new Request(input instanceof Request ? input.clone() : input, init);
    const [, accessToken] = /^\S+ (\S+)$/.exec(headers.get("authorization") ?? "") ?? [];
    if (accessToken) seen.accessToken = accessToken;
    const proof = headers.get("dpop");
    if (proof) proofs.push({ url, proof });
    const answer = await send(input, init);
    const json = Object(
      await answer
        .clone()
        .json()
        .catch(() => ({})),
    );
    seen.accessToken = textIn(json, accessNames) ?? seen.accessToken;
    seen.refreshToken = textIn(json, refreshNames) ?? seen.refreshToken;
    return answer;
  };
  return {
    seen,
    proofs,
    stop() {
      globalThis.fetch = send;
    },
  };
}
