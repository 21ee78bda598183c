/** What a server answers, as data, so that a tab and a real HTTP stack can both make a Response of it. */
export interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | ArrayBuffer;
  /** Headers and half of the body arrive, and then nothing. */
  readonly stalls?: boolean;
  /** Milliseconds between the headers and the body. */
  readonly bodyDelay?: number;
}

/** `"lost"`: the connection breaks. `"silence"`: no answer ever. */
export type Reply = Answer | "lost" | "silence";

/** A `Response` is taken to arrive at once and whole. */
export type Server = (request: Request) => Promise<Reply | Response>;

/** By what it has: the page's `Response` and Node's own are two classes where the page is simulated. */
export function isResponse(reply: Reply | Response): reply is Response {
  return typeof reply === "object" && "arrayBuffer" in reply;
}

/** The data of a response. */
export async function replyOf(response: Response): Promise<Reply> {
  const { status, headers, type } = response;
  return type === "error" ? "lost" : { status, headers: Object.fromEntries(headers), body: await response.arrayBuffer() };
}

/** The bytes of a body, and the first half of them. */
export function bytesOf({ body = "" }: Answer): { bytes: Uint8Array; half: Uint8Array } {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : new Uint8Array(body);
  return { bytes, half: bytes.slice(0, Math.floor(bytes.length / 2)) };
}

export function json(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
  return { status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(value) };
}

/** 204, 205 and 304 must not have a body, not even an empty one. */
export function mayHaveBody(status: number): boolean {
  return ![101, 204, 205, 304].includes(status);
}
