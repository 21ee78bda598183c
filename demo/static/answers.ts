import { jwtVerify, SignJWT } from "jose";
import { down, type Fault, hangs, lostAnswer, throttled } from "../../src/testing/faults.js";
import type { TokenFault } from "../page/server.js";
import { type Issued, log, type State } from "./state.js";

export const sign = ({ claims }: Issued, key: CryptoKey): Promise<string> =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg: "HS256", typ: "at+jwt" }).sign(key);

/** The `jti` of a token that this server has signed. Undefined for an expired token, unless `expired` allows it. */
export async function idOf(token: string | undefined, key: CryptoKey, { expired = false } = {}): Promise<string | undefined> {
  if (!token) return undefined;
  const currentDate = expired ? { currentDate: new Date(0) } : {};
  return jwtVerify(token, key, { typ: "at+jwt", ...currentDate }).then(
    ({ payload }) => payload.jti,
    () => undefined,
  );
}

/** The token of a request, of the scheme `Bearer` or of another one. */
export const bearerOf = (request: Request, scheme = "Bearer"): string | undefined =>
  new RegExp(`^${scheme} (\\S+)$`, "i").exec(request.headers.get("authorization") ?? "")?.[1];

const faults: Record<TokenFault["kind"], (fault: TokenFault) => Fault> = {
  down: () => down(),
  throttled: ({ retryAfterSeconds = 2 }) => throttled(retryAfterSeconds),
  hang: () => hangs,
  "cut-answer": () => lostAnswer,
};

/** Counts the `times` of the state's fault down, and returns the fault. */
export function takeFault(state: State): Fault | undefined {
  const fault = state.faults.token;
  if (!fault) return undefined;
  log(state, `fault: ${fault.kind}`);
  if (fault.times !== undefined && --fault.times <= 0) state.faults.token = null;
  return faults[fault.kind](fault);
}
