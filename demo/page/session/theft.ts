import { ES256, makeProof } from "../../../src/dpop/proof.js";
import type { TokenSet } from "../../../src/index.js";
import { config } from "../config.js";
import { at } from "../place.js";
import { nameOf } from "./current.js";
import { isBound } from "./setup.js";
import { accessNames, type StolenProof, textIn } from "./spy.js";
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
  return typeof got === "string" ? got : (textIn(got, accessNames) ?? "");
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

/** Makes a thief's `fetch` that sends a stolen proof once more. */
const replaying =
  ({ proof }: StolenProof): typeof fetch =>
  (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set("dpop", proof);
    return sendElsewhere(input, { ...init, headers });
  };

/** Tells whether one of the tries was accepted. */
async function anyOf(tries: readonly (() => Promise<boolean>)[]): Promise<boolean> {
  for (const attempt of tries) if (await attempt().catch(() => false)) return true;
  return false;
}

/** Whether the API accepts the access token elsewhere. A bound token is also tried with another key, and with the stolen proofs. */
export async function apiAccepts(accessToken: string, proofs: readonly StolenProof[]): Promise<boolean> {
  const api = at(`${wayOf(config().way).folder}api/me`);
  const call = async (send: typeof fetch, scheme: string, url = api) =>
    (await send(url, { headers: { authorization: `${scheme} ${accessToken}` } })).ok;
  return anyOf([
    () => call(sendElsewhere, "Bearer"),
    async () => isBound(config()) && call(await createThief(accessToken), "DPoP"),
    ...proofs.filter(({ url }) => url.startsWith(api)).map((stolen) => () => call(replaying(stolen), "DPoP", stolen.url)),
  ]);
}

/** Whether the stolen tokens can be renewed elsewhere. Bound tokens are also tried with another key, and with the stolen proofs. */
export function renewsElsewhere(tokens: TokenSet, proofs: readonly StolenProof[]): Promise<boolean> {
  const renew = async (send: typeof fetch) => (await useStolen(tokens, send)) !== "";
  return anyOf([
    () => renew(sendElsewhere),
    async () => isBound(config()) && renew(await createThief()),
    ...proofs.map((stolen) => () => renew(replaying(stolen))),
  ]);
}
