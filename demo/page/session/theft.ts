import { ES256, makeProof } from "../../../src/dpop/proof.js";
import type { TokenSet } from "../../../src/index.js";
import { config } from "../config.js";
import { at } from "../place.js";
import { nameOf } from "./current.js";
import { isBound } from "./setup.js";
import { wayOf } from "./ways.js";

/** The tokens that a script has found in one place. */
export interface Loot {
  readonly accessToken?: string | undefined;
  readonly refreshToken?: string | undefined;
}

interface StoredTokens extends TokenSet {
  readonly binding?: { readonly keyPair: CryptoKeyPair };
}

/** Reads the tokens from the session's storage, as an injected script could. */
export async function storedTokens(): Promise<StoredTokens | undefined> {
  const chosen = config();
  const key = `tokentide:${JSON.stringify([nameOf(chosen), wayOf(chosen.way).setup.refresh.make().clientId])}`;
  const record = chosen.compare ? JSON.parse(localStorage.getItem(key) ?? "null") : await ledgerIn(key);
  return (record as { tokens?: StoredTokens } | null)?.tokens;
}

/** The stored tokens, unless they cannot renew. */
export const stolenTokens = async (): Promise<TokenSet | undefined> => (wayOf(config().way).stealable ? storedTokens() : undefined);

function ledgerIn(name: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const read = request.result.transaction("ledger").objectStore("ledger").get(0);
      read.onsuccess = () => {
        request.result.close();
        resolve(read.result);
      };
      read.onerror = () => reject(read.error);
    };
  });
}

/** Whether a script can copy the private key of the stored tokens. */
export async function canCopyKey({ binding }: StoredTokens): Promise<boolean> {
  if (!binding) return false;
  const formats = ["jwk", "pkcs8"] as const;
  const copies = formats.map((format) => crypto.subtle.exportKey(format, binding.keyPair.privateKey) as Promise<unknown>);
  return Promise.any(copies).then(
    () => true,
    () => false,
  );
}

/** Renews with stolen tokens, as a thief would. Returns the thief's access token. */
export async function useStolen(tokens: TokenSet, send = sendElsewhere): Promise<string> {
  const { signal } = new AbortController();
  const strategy = wayOf(config().way).setup.refresh.make();
  const got = await strategy.refresh({ tokens, cause: "requested", attempt: 1, signal, fetch: send });
  if (typeof got === "string") return got;
  return "access_token" in got ? got.access_token : (got.accessToken ?? "");
}

/** Sends a request as from another machine: without the page's cookies. */
const sendElsewhere: typeof fetch = (input, init) => fetch(input, { ...init, credentials: "omit" });

/** Makes the thief's `fetch`: its proofs are of a key of the thief's own, since the page's key stays in the page. */
async function createThief(accessToken?: string): Promise<typeof fetch> {
  const keyPair = await crypto.subtle.generateKey(ES256, false, ["sign", "verify"]);
  return async (input, init) => {
    const { url, method } = new Request(input, { ...init, body: null });
    const sendWith = async (nonce: string | null) => {
      const headers = new Headers(init?.headers);
      headers.set("dpop", await makeProof(crypto, keyPair, { url, method, now: Date.now(), accessToken, nonce: nonce ?? undefined }));
      return sendElsewhere(input, { ...init, headers });
    };
    const answer = await sendWith(null);
    const nonce = answer.headers.get("dpop-nonce");
    return answer.ok || !nonce ? answer : sendWith(nonce);
  };
}

/** Tells whether one of the tries was accepted. */
async function anyOf(tries: readonly (() => Promise<boolean>)[]): Promise<boolean> {
  for (const attempt of tries) if (await attempt().catch(() => false)) return true;
  return false;
}

/** Whether the API accepts the access token elsewhere. A bound token is also tried with another key, and with the stolen proofs. */
export async function apiAccepts(accessToken: string, proofs: readonly { url: string; proof: string }[]): Promise<boolean> {
  const url = at(`${wayOf(config().way).folder}api/me`);
  const call = async (send: typeof fetch, address: string, headers: HeadersInit) => (await send(address, { headers })).ok;
  const authorization = `DPoP ${accessToken}`;
  return anyOf([
    () => call(sendElsewhere, url, { authorization: `Bearer ${accessToken}` }),
    ...(isBound(config())
      ? [
          async () => call(await createThief(accessToken), url, { authorization }),
          ...proofs.map(
            ({ url, proof }) =>
              () =>
                call(sendElsewhere, url, { authorization, dpop: proof }),
          ),
        ]
      : []),
  ]);
}

/** Whether the stolen tokens can be renewed elsewhere. */
export const renewsElsewhere = (tokens: TokenSet): Promise<boolean> =>
  anyOf([
    async () => (await useStolen(tokens)) !== "",
    ...(isBound(config()) ? [async () => (await useStolen(tokens, await createThief())) !== ""] : []),
  ]);
