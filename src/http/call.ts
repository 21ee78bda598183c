/** The session's part of one call: the address, and what the call has cost so far. */
export interface Effort {
  /** The absolute address of the call. */
  readonly url: string;
  /** The milliseconds for which the call may still wait for tokens, in all its waits together. */
  left: number;
  /** The commit time of the renewal that an API's refusal of this call caused. */
  renewal?: number | undefined;
  /** Whether this call began that renewal. Otherwise the call joined it. */
  began?: boolean | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Returns the origin and the path of a call, by which its API is known. */
export function addressOf({ url }: Effort): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

/** The arguments of one call, as they were when the app called `fetch`. */
export interface Call extends Effort {
  /** An absolute address, or a Request. */
  input: string | Request;
  readonly init: RequestInit & { headers?: Headers };
  /** The number of times that the call was sent, without the answers to challenges. */
  sends: number;
  /** The number of sends that answered a challenge (RFC 9449 §9). */
  challenges: number;
}

/** Reads the arguments at once, as `fetch` does. A later change by the caller changes no send of this call. */
export function callOf(input: Request | undefined, url: string, given: RequestInit | undefined, left: number): Call {
  let whole = input;
  const init: Record<string, unknown> = {};
  // A Request keeps the body of `given`, so that the call can send it again.
  if (given instanceof Request) {
    whole = new Request(input ?? url, given);
    // Firefox ignores `keepalive` unless the `init` has it.
    if (given.keepalive) init.keepalive = true;
  } else if (given) {
    Object.assign(init, given);
    // `fetch` also reads the inherited members of an `init`. Their names are those of a Request.
    if (Object.getPrototypeOf(given) !== Object.prototype)
      for (const name in Request.prototype) init[name] ??= given[name as keyof RequestInit];
  }
  const { headers = whole?.headers, signal = whole?.signal, body } = init as RequestInit;
  if (headers) init.headers = new Headers(headers);
  if (body) init.body = copyOf(body);
  return { input: whole ?? url, init, signal: signal ?? undefined, url, left, sends: 0, challenges: 0 };
}

function copyOf(body: BodyInit): BodyInit {
  if (body instanceof URLSearchParams) return new URLSearchParams(body);
  if (body instanceof FormData) {
    const copy = new FormData();
    for (const [name, value] of body) copy.append(name, value as string);
    return copy;
  }
  return body instanceof ArrayBuffer || ArrayBuffer.isView(body) ? new Blob([body as ArrayBuffer]) : body;
}

export const isRequest = (input: RequestInfo | URL): input is Request => !!(input as Request | null)?.method;

/** Whether a body is a stream, which can be sent only once. */
export function isOneShot(body: unknown): boolean {
  const { getReader, [Symbol.asyncIterator]: iterate } = (body ?? {}) as Partial<ReadableStream & AsyncIterable<unknown>>;
  return !!(getReader || iterate);
}

/** Cancels an unread body, which would keep its connection or its memory. */
export function discard(message: Response | Request | undefined): void {
  // An object that only looks like a Response may have any value as its body.
  message?.body?.cancel?.()?.catch?.(() => {});
}
