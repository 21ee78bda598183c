import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { decodeProtectedHeader } from "jose";
import { onTestFinished, vi } from "vitest";
import type { DpopProofs, Session } from "../../src/index.js";
import type { Environment } from "../../src/types/environment.js";
import { withPreflights } from "./cors.js";
import { createDevice } from "./device.js";
import { API, APP, AUTH, type DpopServerOptions, type Seen, startDpopServers } from "./dpop-provider.js";
import { bundledSample } from "./sample.js";

/** What the sample in docs/dpop.md exports. */
interface Page {
  readonly session: Session;
  readonly proofs: DpopProofs;
  logIn(): Promise<void>;
  finishLogin(): Promise<void>;
}

let code: Promise<string> | undefined;

const withoutNonces =
  (network: typeof fetch): typeof fetch =>
  async (...request) => {
    const response = await network(...request);
    response.headers.delete("dpop-nonce");
    return response;
  };

interface BrowserOptions extends DpopServerOptions {
  /** The milliseconds by which the device's clock is ahead of the servers'. The login library has the servers' clock. @default 0 */
  ahead?: number;
}

/** A browser, and the servers, whose clock goes with the browser's. */
export async function startBrowser(options: BrowserOptions = {}) {
  let { ahead = 0 } = options;
  code ??= bundledSample("docs/dpop.md");
  const text = await code;
  const folder = mkdtempSync(join(tmpdir(), "tokentide-dpop-"));
  const start = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now: start });
  const servers = await startDpopServers(options);
  /** The session's clock and the servers' move together. */
  const network: typeof fetch = (input, init) => {
    vi.setSystemTime(device.clock.now() - ahead);
    line.before(new URL(input as string));
    return withPreflights(line.hidesNonces ? withoutNonces(servers.network) : servers.network, APP)(input, init);
  };
  const device = createDevice(APP, start + ahead, network);
  const sessionStorage = new Map<string, string>();
  const pages: Page[] = [];
  const failures: unknown[] = [];
  /** `before`: called before each request of a page; it throws where the network is broken. `hidesNonces`: no server exposes its header. */
  const line = { before: (_url: URL): void => {}, hidesNonces: false };
  let loaded = 0;

  onTestFinished(async () => {
    for (const { session } of pages) session.dispose();
    await device.clock.advance(1000);
    await servers.close();
    vi.useRealTimers();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Loads the app's module once more, as a new page of that tab does. */
  async function open(environment: Environment, href = APP): Promise<Page & { left(): string }> {
    let left = "";
    const location = {
      href,
      assign: (url: URL | string) => {
        left = `${url}`;
      },
    };
    const storage = {
      getItem: (key: string) => sessionStorage.get(key),
      setItem: (key: string, value: string) => sessionStorage.set(key, value),
    };
    const file = join(folder, `page-${loaded++}.mjs`);
    writeFileSync(file, text);
    const { fetch, crypto: ours } = environment;
    const webCrypto = { ...ours, getRandomValues: (array: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(array) };
    vi.stubGlobal("page", { environment, location, sessionStorage: storage, fetch, crypto: webCrypto });
    try {
      const page = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as Page;
      pages.push(page);
      page.session.on("refresh-failed", ({ error }) => failures.push(error.code));
      return { ...page, left: () => left };
    } finally {
      vi.unstubAllGlobals();
    }
  }

  return {
    servers,
    device,
    open,
    line,
    /** Sets the device's clock by so many milliseconds. */
    set(milliseconds: number) {
      ahead += milliseconds;
      device.clock.jump(milliseconds);
    },
    /** The codes of all failed attempts, in all pages. */
    failures,
    clock: device.clock,
    /** The whole login of the sample: leaves the page, and comes back to another one. */
    async logIn(user = "ada", environment = device.environment) {
      const before = await open(environment);
      await device.clock.until(before.logIn());
      before.session.dispose();
      const callback = await servers.logIn(before.left(), user);
      const page = await open(environment, callback);
      await device.clock.until(page.finishLogin());
      return page;
    },
  };
}

export const ME = { jwt: `${API}/me`, opaque: `${AUTH}/me` };
/** A token that has just come is not renewed again within a second. */
const NOT_YOUNG = 1500;

export const about = (requests: Seen[]) => requests.filter(({ path }) => /\/(token|me|revocation)$/.test(path));
/** What was asked for, and the answers, in a word each. */
export const words = (requests: Seen[]) => about(requests).map(({ path, status, error }) => `${path.split("/").at(-1)} ${error ?? status}`);
/** The public keys of their proofs. */
export const keysOf = (requests: Seen[]) =>
  new Set(about(requests).flatMap(({ proof }) => (proof ? [JSON.stringify(decodeProtectedHeader(proof).jwk)] : [])));

/** A browser whose user has logged in, and what the tests do with it. */
export async function start(options: BrowserOptions = {}) {
  const browser = await startBrowser(options);
  const page = await browser.logIn();
  const { clock, servers } = browser;
  const login = servers.seen();
  const me = ME[options.format ?? "jwt"];
  const call = async ({ session } = page, init?: RequestInit) => (await clock.until(session.fetch(me, init))).status;
  const refresh = async ({ session } = page) => {
    await clock.advance(NOT_YOUNG);
    return clock.until(session.refresh());
  };
  return { ...browser, page, login, me, call, refresh };
}
