import type { Clock } from "./clock.js";
import { type Answer, bytesOf, isResponse, mayHaveBody, type Reply, replyOf, type Server } from "./reply.js";
import type { Tab } from "./tab.js";

/** One request, at the instant at which a tab sent it. */
export interface Sent {
  readonly tab: string;
  readonly url: string;
  readonly method: string;
  readonly authorization: string | null;
  /** The device's monotonic clock, in milliseconds. */
  readonly at: number;
}

/** The network between the tabs and the servers. A request that was sent arrives, even when its tab is dead. */
export class Network {
  /** All requests, in their order. */
  readonly sent: Sent[] = [];
  /** Whether the device has no network: requests fail, and so do answers on their way. */
  offline = false;
  #clock: Clock;
  #server: Server;
  #delay: (tab: Tab) => number;

  constructor(clock: Clock, server: Server, delay: (tab: Tab) => number) {
    this.#clock = clock;
    this.#server = server;
    this.#delay = delay;
  }

  /** The `fetch` of a page of this origin. */
  fetchFor(tab: Tab, origin: string | undefined): typeof globalThis.fetch {
    return async (input, init) => {
      const target = input instanceof Request ? input : new URL(input, origin);
      const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
      const request = new Request(target, init);
      signal?.throwIfAborted();
      if (tab.dead) return new Promise(() => {});
      const { url, method } = request;
      this.sent.push({ tab: tab.name, url, method, authorization: request.headers.get("authorization"), at: this.#clock.monotonic() });
      return this.#exchange(tab, request, signal ?? undefined);
    };
  }

  #exchange(tab: Tab, request: Request, signal: AbortSignal | undefined): Promise<Response> {
    return new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      const broken = () => tab.post("network", 0, () => reject(new TypeError("Failed to fetch")));
      if (this.#cut(tab)) {
        broken();
        return;
      }
      // The body is read at once, because the page may be dead when the request arrives.
      const body = request.body ? request.arrayBuffer() : Promise.resolve(undefined);
      body.then((bytes) => {
        const { url, method, headers } = request;
        const arrived = new Request(url, { method, headers, ...(bytes ? { body: bytes } : {}) });
        this.#clock.elsewhere(this.#delay(tab), async () => {
          const answered = await this.#server(arrived);
          const reply = isResponse(answered) ? await replyOf(answered) : answered;
          this.#clock.elsewhere(this.#delay(tab), () => {
            if (reply === "silence") return;
            if (reply === "lost" || this.#cut(tab)) broken();
            else tab.post("network", 0, () => resolve(this.#respond(tab, url, reply, signal)));
          });
        });
      }, reject);
    });
  }

  #cut(tab: Tab): boolean {
    return this.offline || tab.offline;
  }

  #respond(tab: Tab, url: string, answer: Answer, signal: AbortSignal | undefined): Response {
    const { status, headers = {} } = answer;
    const body = !mayHaveBody(status)
      ? null
      : answer.stalls || answer.bodyDelay
        ? this.#slowBody(tab, answer, signal)
        : (answer.body ?? "");
    const response = new Response(body, { status, headers });
    Object.defineProperty(response, "url", { value: url });
    return response;
  }

  #slowBody(tab: Tab, answer: Answer, signal: AbortSignal | undefined): ReadableStream<Uint8Array> {
    const { stalls, bodyDelay = 0 } = answer;
    const { bytes, half } = bytesOf(answer);
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        let over = false;
        signal?.addEventListener("abort", () => {
          if (!over) controller.error(signal.reason);
          over = true;
        });
        controller.enqueue(half);
        if (stalls) return;
        tab.post("network", bodyDelay, () => {
          if (over) return;
          over = true;
          controller.enqueue(bytes.slice(half.length));
          controller.close();
        });
      },
    });
  }
}

/** A server without a network: each connection breaks. */
export const nowhere: Server = async (): Promise<Reply> => "lost";
