/** The `error` with which a server refuses a proof, and asks for another one (RFC 9449 §8, §9). */
export type Challenge = "use_dpop_nonce" | "invalid_dpop_proof";

const isChallenge = (error: unknown): error is Challenge => error === "use_dpop_nonce" || error === "invalid_dpop_proof";

/** The characters of a nonce (RFC 9449 §8.1). It is in memory and in storage, so it is bounded. */
const NONCE = /^[\x21\x23-\x5b\x5d-\x7e]{1,1000}$/;

/** Returns the nonce in an answer of any status, unless script cannot read its header. */
export function nonceIn(response: Response): string | undefined {
  const nonce = response?.headers?.get?.("dpop-nonce");
  return nonce && NONCE.test(nonce) ? nonce : undefined;
}

/** Reads the challenge of an API. Without a readable `WWW-Authenticate`, a 401 with another nonce than the one that was sent is one. */
export function challengeOfApi(response: Response, sent: string | undefined): Challenge | undefined {
  if (response?.status !== 401) return undefined;
  const header = response.headers?.get?.("www-authenticate");
  const nonce = nonceIn(response);
  if (header == null) return nonce && nonce !== sent ? "use_dpop_nonce" : undefined;
  const error = /\bdpop\b.*?\berror="?(use_dpop_nonce|invalid_dpop_proof)\b/i.exec(header)?.[1];
  return isChallenge(error) ? error : undefined;
}

/** Reads the challenge of an authorization server. glewlwyd refuses a proof with 403. */
export async function challengeOfServer(response: Response): Promise<Challenge | undefined> {
  if (response.status < 400 || response.status >= 500) return undefined;
  try {
    const { error } = await response.clone().json();
    return isChallenge(error) ? error : undefined;
  } catch {
    return undefined;
  }
}
