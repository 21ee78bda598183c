import { CookieJar } from "tough-cookie";
import { Clock, START } from "../../src/testing/clock.js";
import { World } from "../../src/testing/world.js";
import type { Environment } from "../../src/types/environment.js";
import type { TokenSet } from "../../src/types/index.js";

/** Time that is moved by hand, and stands still while a real request is under way. */
class LiveClock extends Clock {
  underWay = 0;
  /** Does not wait for requests: they are to run into their deadline. */
  impatient = false;

  override async settle(): Promise<void> {
    await super.settle();
    while (this.underWay > 0 && !this.impatient) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      await super.settle();
    }
  }
}

export interface Device {
  readonly clock: LiveClock;
  readonly environment: Environment;
  /** Opens another tab. */
  tab(): Environment;
  readonly jar: CookieJar;
  offline: boolean;
  /** The network is back, and the page hears of it. */
  backOnline(): void;
  /** What whoever can read the page's storage gets. */
  stored(): TokenSet;
}

/** The page's WebCrypto. Time stands still while it works, as it does for requests. */
function slowly(clock: LiveClock): NonNullable<Environment["crypto"]> {
  const subtle = new Proxy(crypto.subtle, {
    get:
      (target, name) =>
      async (...args: unknown[]) => {
        clock.underWay += 1;
        try {
          return await (target[name as "digest"] as (...args: unknown[]) => Promise<unknown>).apply(target, args);
        } finally {
          clock.underWay -= 1;
        }
      },
  });
  return { subtle, randomUUID: () => crypto.randomUUID() };
}

/**
 * A browser whose clock, storage and locks are the tests' and whose network is real: `fetch` goes to a server over HTTP, with the cookies and the
 * origin that a page of `origin` would send. `at`: what its clock shows. `network`: sends what the browser sends.
 */
export function createDevice(origin: string, at = START, network: typeof fetch = fetch): Device {
  const clock = new LiveClock(4);
  const world = new World({ clock, origin });
  clock.jump(at - START);
  const tab = world.tab();
  const jar = new CookieJar();

  async function live(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const request = new Request(input, init);
    const own = new URL(request.url).origin === origin;
    const withCookies = request.credentials === "include" || (own && request.credentials === "same-origin");
    const headers = new Headers(request.headers);
    headers.set("origin", origin);
    if (withCookies) headers.set("cookie", await jar.getCookieString(request.url));
    const body = request.body ? await request.arrayBuffer() : null;
    const response = await network(request.url, {
      method: request.method,
      headers,
      body,
      signal: request.signal,
      redirect: request.redirect,
    });
    // What a browser would keep from the page.
    const allowed = response.headers.get("access-control-allow-origin");
    if (!own && allowed !== origin && (allowed !== "*" || withCookies)) throw new TypeError("Failed to fetch (CORS)");
    if (withCookies) for (const line of response.headers.getSetCookie()) await jar.setCookie(line, request.url);
    // Read to its end while time stands still.
    const bytes = await response.arrayBuffer();
    const { url, redirected } = response;
    return Object.defineProperties(new Response(bytes.byteLength > 0 ? bytes : null, response), {
      url: { value: url },
      redirected: { value: redirected },
    });
  }

  const environmentOf = (own: typeof tab): Environment => ({
    ...own.environment,
    crypto: slowly(clock),
    async fetch(input, init) {
      if (device.offline) throw new TypeError("fetch failed");
      clock.underWay += 1;
      try {
        return await live(input, init);
      } finally {
        clock.underWay -= 1;
      }
    },
  });

  const device: Device = {
    clock,
    jar,
    offline: false,
    environment: environmentOf(tab),
    tab: () => environmentOf(world.tab()),
    backOnline() {
      device.offline = false;
      tab.signal("online");
    },
    stored() {
      const [name = ""] = world.stores.names();
      return (world.stores.read(name) as { tokens: TokenSet }).tokens;
    },
  };
  return device;
}
