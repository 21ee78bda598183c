import type { SessionErrorCode } from "../errors.js";
import { LONGEST_LEASE_MS } from "../ledger/record.js";
import type { TokenSet } from "../types/index.js";

/** The version of the messages. A worker may be older than the page, since it lives as long as any tab of the app. */
export const VERSION = 1;

/** The members of each kind of message, beside `version`, `client` and `kind`. */
export interface Requests {
  /** Exchanges an authorization code (RFC 6749 §4.1.3, RFC 7636 §4.5). */
  exchange: { readonly code: string; readonly codeVerifier?: string | undefined; readonly redirectUri?: string | undefined };
  /** Gives a refresh token to the worker. */
  take: { readonly refreshToken: string };
  /**
   * Renews. `until`: the epoch milliseconds after which the worker sends nothing any more. `patience`: the milliseconds for which it waits for
   * the server.
   */
  refresh: {
    readonly handle: string;
    readonly parameters?: Readonly<Record<string, string>> | undefined;
    readonly until: number;
    readonly patience: number;
  };
  /** Asks whether the worker has the refresh token, and sends nothing. */
  holds: { readonly handle: string };
  /** Ends the session of a handle. */
  revoke: { readonly handle: string };
}

export type Kind = keyof Requests;
export type Request = { readonly [K in Kind]: { readonly kind: K } & Requests[K] }[Kind];
/** A message to the worker. `client`: the identity of the client for which the page wants tokens. */
export type Message = Request & { readonly version: number; readonly client: string };
/** `id`: the number of the call, since a worker of one tab has one port for all calls. */
export type Numbered<T> = T & { readonly id: number };

/** The answers to each kind of message. The refresh token in `tokens` is a handle. */
export interface Answers {
  exchange: { readonly tokens: TokenSet };
  take: { readonly handle: string };
  refresh: { readonly tokens: TokenSet };
  holds: { readonly holds: boolean };
  revoke: { readonly holds: false };
}

/** The answer to a message. No answer has a refresh token, nor text of the server. */
export type Answer = Answers[Kind] | { readonly failed: Failed };

/** The members of a `SessionError`. */
export interface Failed {
  readonly code: SessionErrorCode;
  readonly message: string;
  readonly status?: number | undefined;
  /** Milliseconds. */
  readonly retryAfter?: number | undefined;
  /** The date of `Retry-After`, in epoch milliseconds, where the session has to compute `retryAfter`. */
  readonly retryDate?: number | undefined;
  readonly lost?: boolean | undefined;
}

/** The members of each kind that are texts. A member with a question mark may be absent. */
const TEXTS: { readonly [K in Kind]: readonly string[] } = {
  exchange: ["code", "codeVerifier?", "redirectUri?"],
  take: ["refreshToken"],
  refresh: ["handle"],
  holds: ["handle"],
  revoke: ["handle"],
};

/** The parameters of a renewal that the page may choose (RFC 6749 §6, RFC 8707, and the `audience` of some servers). */
const CHOSEN = ["scope", "resource", "audience"];
/** The longest text in a message. */
const LONGEST_TEXT = 65_536;

const isText = (value: unknown): value is string => typeof value === "string" && value !== "" && value.length <= LONGEST_TEXT;

/** Returns the problem of a message, or undefined. No problem repeats a value of the message. */
export function problemOf(data: unknown, client: string): string | undefined {
  const message = Object(data) as Partial<Message> & Record<string, unknown>;
  const texts = isText(message.kind) && Object.hasOwn(TEXTS, message.kind) ? TEXTS[message.kind] : undefined;
  if (message.version !== VERSION || !texts)
    return "the worker of vault is of another release of tokentide; it ends when all tabs of the app are closed";
  if (message.client !== client)
    return "the worker of vault serves another client: vault and keepTokens must name the same endpoint and clientId";
  for (const name of texts) {
    const value = message[name.replace("?", "")];
    if (!(isText(value) || (value === undefined && name.endsWith("?")))) return `vault: ${name.replace("?", "")} must be a text`;
  }
  if (message.kind !== "refresh") return undefined;
  if (!Number.isFinite(message.until) || !(message.patience! > 0 && message.patience! <= LONGEST_LEASE_MS))
    return "vault: until and patience must be milliseconds";
  for (const [name, value] of Object.entries(message.parameters ?? {}))
    if (!CHOSEN.includes(name) || !isText(value))
      return `vault: a page may choose the parameters ${CHOSEN.join(", ")}; the worker's own options have all others`;
  return undefined;
}
