// In the page: two sessions that differ in the option `dpop` alone, and the header set by hand.
import { createSession, dpop, oauth2, type TokenResponse } from "../../src/index.js";
import { shuffled } from "../measure.js";

const proofs = dpop();
const make = (name: string, further = {}) =>
  createSession({ name, refresh: oauth2({ tokenEndpoint: "/token", clientId: "spa" }), ...further });
const sessions = { bearer: make("bearer"), bound: make("bound", { dpop: proofs }) };
let path = "";
let byHand = "";

const callers = {
  byHand: () => fetch(path, { headers: { authorization: byHand } }),
  bearer: () => sessions.bearer.fetch(path),
  bound: () => sessions.bound.fetch(path),
};
export type Caller = keyof typeof callers;

globalThis.boundCalls = {
  async signIn({ tokens, path: api }) {
    path = api;
    byHand = `Bearer ${tokens.access_token}`;
    await sessions.bearer.signIn(tokens);
    await proofs.keyPair();
    await sessions.bound.signIn({ ...tokens, token_type: "DPoP" });
  },
  async turn(calls) {
    const took: Record<Caller, number[]> = { byHand: [], bearer: [], bound: [] };
    for (let call = 0; call < calls; call++) {
      for (const caller of shuffled(Object.keys(callers) as Caller[])) {
        const begin = performance.now();
        const response = await callers[caller]();
        if (!response.ok) throw new Error(`${caller}: the call got ${response.status}`);
        await response.text();
        took[caller].push(performance.now() - begin);
      }
    }
    return took;
  },
};

declare global {
  var boundCalls: {
    /** `path`: of the API. */
    signIn(given: { tokens: TokenResponse; path: string }): Promise<void>;
    /** All take turns, and call one after the other. Resolves with the milliseconds of each call. */
    turn(calls: number): Promise<Record<Caller, number[]>>;
  };
}
