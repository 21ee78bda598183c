import type { TokenSet } from "../../../src/index.js";
import { config } from "../config.js";
import { nameOf } from "./current.js";
import { wayOf } from "./ways.js";

/** Reads the tokens from the session's storage, as an injected script could. */
export async function stolenTokens(): Promise<TokenSet | undefined> {
  const chosen = config();
  const key = `tokentide:${JSON.stringify([nameOf(chosen), wayOf(chosen.way).setup.refresh.make().clientId])}`;
  const record = chosen.compare ? JSON.parse(localStorage.getItem(key) ?? "null") : await ledgerIn(key);
  const tokens = (record as { tokens?: TokenSet } | null)?.tokens;
  return wayOf(chosen.way).stealable ? tokens : undefined;
}

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

/** Renews with stolen tokens, as a thief would. Returns the thief's access token. */
export async function useStolen(tokens: TokenSet): Promise<string> {
  const { signal } = new AbortController();
  const send: typeof fetch = (input, init) => fetch(input, init);
  const strategy = wayOf(config().way).setup.refresh.make();
  const got = await strategy.refresh({ tokens, cause: "requested", attempt: 1, signal, fetch: send });
  if (typeof got === "string") return got;
  return "access_token" in got ? got.access_token : (got.accessToken ?? "");
}
