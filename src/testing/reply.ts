/** What a server answers, as data, so that a tab and a real HTTP stack can both make a Response of it. */
export interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** Headers and half of the body arrive, and then nothing. */
  readonly stalls?: boolean;
  /** Milliseconds between the headers and the body. */
  readonly bodyDelay?: number;
}

/** `"lost"`: the connection breaks. `"silence"`: no answer ever. */
export type Reply = Answer | "lost" | "silence";

export type Server = (request: Request) => Promise<Reply>;

export function json(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
  return { status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(value) };
}

/** 204, 205 and 304 must not have a body, not even an empty one. */
export function mayHaveBody(status: number): boolean {
  return ![101, 204, 205, 304].includes(status);
}
