import { vi } from "vitest";

/** What answers at an address. Throwing is a connection that fails, as an answer without CORS headers looks. */
export type Servers = Record<string, (request: Request) => Response | Promise<Response>>;

const ADDRESS = "https://app.example.com/";

interface Page {
  /** Addresses at which nobody answers, and that were asked. */
  readonly unknown: string[];
  /** So many milliseconds, at once. */
  pass(milliseconds: number): void;
  readonly sockets: { url: string; sent: string[]; dispatchEvent(event: Event): boolean }[];
}

/**
 * As much of a page as a sample needs: an address, a cookie, events that never come, and a network whose servers are functions. It is the
 * global one until `vi.unstubAllGlobals` and `vi.restoreAllMocks`.
 */
export function openPage(servers: Servers): Page {
  const unknown: string[] = [];
  const sockets: Page["sockets"] = [];

  class PageRequest extends Request {
    constructor(input: RequestInfo | URL, init?: RequestInit) {
      super(typeof input === "string" ? new URL(input, ADDRESS) : input, init);
    }
  }

  async function fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const request = new PageRequest(input, init);
    const { origin, pathname } = new URL(request.url);
    const server = servers[origin + pathname];
    if (server) return server(request);
    unknown.push(request.url);
    throw new TypeError("fetch failed");
  }

  class Socket extends EventTarget {
    readonly sent: string[] = [];
    constructor(readonly url: string) {
      super();
      sockets.push(this);
    }
    send(message: string): void {
      this.sent.push(message);
    }
  }

  const events = new EventTarget();
  const page = {
    addEventListener: events.addEventListener.bind(events),
    removeEventListener: events.removeEventListener.bind(events),
  };
  for (const [name, value] of Object.entries({
    fetch,
    Request: PageRequest,
    WebSocket: Socket,
    location: { href: ADDRESS, assign: vi.fn() },
    origin: new URL(ADDRESS).origin,
    navigator: {},
    document: { ...page, baseURI: ADDRESS, cookie: "XSRF-TOKEN=told", visibilityState: "visible" },
    ...page,
  })) {
    vi.stubGlobal(name, value);
  }
  // No refresh of a token that lives for an hour is due by chance while the test runs.
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  let passed = 0;
  for (const clock of [Date, performance]) {
    const { now } = clock;
    vi.spyOn(clock, "now").mockImplementation(() => now.call(clock) + passed);
  }

  return {
    unknown,
    sockets,
    pass(milliseconds) {
      passed += milliseconds;
    },
  };
}
