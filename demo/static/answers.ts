import { jwtVerify, SignJWT } from "jose";
import { HttpResponse } from "msw";
import type { TokenFault } from "../page/server.js";
import { type Issued, log, type State } from "./state.js";

export const sign = ({ claims }: Issued, key: CryptoKey): Promise<string> =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg: "HS256", typ: "at+jwt" }).sign(key);

/** The `jti` of a token that is ours, and has not expired unless it may have. */
export async function idOf(token: string | undefined, key: CryptoKey, { expired = false } = {}): Promise<string | undefined> {
  if (!token) return undefined;
  const currentDate = expired ? { currentDate: new Date(0) } : {};
  return jwtVerify(token, key, { typ: "at+jwt", ...currentDate }).then(
    ({ payload }) => payload.jti,
    () => undefined,
  );
}

export const bearerOf = (request: Request): string | undefined => /^Bearer (\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];

/** Counts a fault's `times` down, and says what it is. */
export function takeFault(state: State): TokenFault | null {
  const fault = state.faults.token;
  if (!fault) return null;
  log(state, `fault: ${fault.kind}`);
  if (fault.times !== undefined && --fault.times <= 0) state.faults.token = null;
  return fault;
}

/** Whether the request is carried out, whatever becomes of the answer. */
export const isHandled = (fault: TokenFault | null): boolean => !fault || fault.kind === "cut-answer";

/** What comes instead of the answer; undefined when it comes as it is. */
export function misbehave(fault: TokenFault | null): Response | Promise<Response> | undefined {
  switch (fault?.kind) {
    case "down":
      return HttpResponse.html("<!doctype html><title>503</title><p>The service is unavailable.</p>", { status: 503 });
    case "throttled":
      return HttpResponse.json(
        { error: "temporarily_unavailable" },
        { status: 429, headers: { "retry-after": String(fault.retryAfterSeconds ?? 2) } },
      );
    case "hang":
      return new Promise<Response>(() => {});
    case "cut-answer":
      return HttpResponse.error();
    default:
      return undefined;
  }
}
