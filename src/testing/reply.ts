/** A server's answer as data, from which a virtual tab and msw both make a `Response`. */
export interface Answer {
  readonly status: number;
  /** @default none */
  readonly headers?: Record<string, string>;
  /** @default empty */
  readonly body?: string | ArrayBuffer;
  /** Whether only the headers and half of the body arrive. @default false */
  readonly stalls?: boolean;
  /** Milliseconds between the headers and the end of the body. msw answers without this delay. @default 0 */
  readonly bodyDelay?: number;
}

/** An answer, or `"lost"` when the connection breaks, or `"silence"` when no answer ever comes. */
export type Reply = Answer | "lost" | "silence";

/** Replies to every request that a virtual tab sends. A `Response` arrives at once and whole. */
export type Server = (request: Request) => Promise<Reply | Response>;

/** Looks at a member, not at the class: in a simulated page, the page's `Response` and Node's `Response` are two classes. */
export function isResponse(reply: Reply | Response): reply is Response {
  return typeof reply === "object" && "arrayBuffer" in reply;
}

/** A response as data. */
export async function replyOf(response: Response): Promise<Reply> {
  const { status, headers, type } = response;
  return type === "error" ? "lost" : { status, headers: Object.fromEntries(headers), body: await response.arrayBuffer() };
}

/** The bytes of a body, and the first half of them. */
export function bytesOf({ body = "" }: Answer): { bytes: Uint8Array; half: Uint8Array } {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : new Uint8Array(body);
  return { bytes, half: bytes.slice(0, Math.floor(bytes.length / 2)) };
}

/** An answer with a value as JSON. */
export function json(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
  return { status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(value) };
}

/** Whether a `Response` with this status may have a body. 101, 204, 205 and 304 must not have even an empty body. */
export function mayHaveBody(status: number): boolean {
  return ![101, 204, 205, 304].includes(status);
}
