import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build } from "esbuild";
import { type Backend, createBackend } from "../../../servers/backend/index.js";
import { type Server, startServer } from "../../../servers/oauth/index.js";
import { type Browser, insecureHost, type Tab } from "./browser.js";
import type { AppOptions } from "./page.js";
import { createPages, type Report } from "./pages.js";
import { type Strangers, startStrangers } from "./strangers.js";

export interface SiteOptions {
  accessTokenSeconds?: number;
  /** Of the server; 0 is strict, and the default. */
  reuseGraceSeconds?: number;
  /** A back end of the app's own renews by a cookie, in place of the OAuth server. */
  way?: "cookie";
  /** `http://app.test:…`, which no browser counts as secure: no Web Locks there. */
  insecure?: boolean;
  /** The app tells the server when the user signs out. */
  revokes?: boolean;
  session?: AppOptions["session"];
  inMemory?: AppOptions["inMemory"];
  /** The server binds tokens to keys. A page does so with `dpop` in its address. */
  dpop?: boolean;
  /** Whether each refresh gives a new refresh token; it does by default. */
  rotate?: boolean;
  vault?: AppOptions["vault"];
  idle?: AppOptions["idle"];
  pollEvery?: number;
  devtools?: boolean;
  /** The later release, whose format is 2, says that format 1 may not hand out its tokens. */
  laterServesItselfOnly?: boolean;
}

/** An app, its API and its authorization server, of one origin and as real as they get. */
export interface Site {
  readonly server: Server;
  /** The back end of {@link SiteOptions.way}. */
  readonly backend: Backend;
  readonly url: string;
  /** The app's page; with a query, a browser takes it for another one than that without. */
  address(query?: string, more?: Partial<AppOptions>): string;
  /** Newest last. */
  readonly reports: Report[];
  /** A server of another origin. */
  readonly strangers: Strangers;
  /** Opens the app in a number of tabs, one after the other, and waits until their sessions are ready. In the browser's own window by default. */
  open(count: number, window?: Pick<Browser, "newTab">): Promise<Tab[]>;
  /**
   * Opens another page of the app, as `open` does: `later` has a later release of the package, `strict` has no bundler, and the others have a
   * policy against workers. `more`: options of that page.
   */
  openAt(path: "" | "later" | "strict" | "no-workers" | "trusted-types" | "trusted-vault", more?: Partial<AppOptions>): Promise<Tab>;
  /** As `open`, then signs in from the first tab, and returns when all know of it. What set-up cost is not counted. */
  openSignedIn(count: number, subject?: "ada" | "grace", window?: Pick<Browser, "newTab">): Promise<Tab[]>;
  signIn(tab: Tab, subject: "ada" | "grace"): Promise<void>;
  /** A page that takes the tab back to where it came from once `goBack` is called. */
  readonly elsewhere: string;
  goBack(): void;
  close(): Promise<void>;
}

const record = fileURLToPath(new URL("../../../src/ledger/format.ts", import.meta.url));

/** Builds the app with the package as it is, or with the changes to the formats that a later release makes. */
async function buildApp(changes: readonly (readonly [from: string, to: string])[], entry = "page.ts"): Promise<string> {
  let contents = await readFile(record, "utf8");
  for (const [from, to] of changes) {
    if (contents.split(from).length !== 2) throw new Error(`the record has no single place that says: ${from}`);
    contents = contents.replace(from, to);
  }
  return bundle(new URL(entry, import.meta.url), {
    plugins: [{ name: "release", setup: ({ onLoad }) => onLoad({ filter: /ledger[\\/]format\.ts$/ }, () => ({ contents, loader: "ts" })) }],
  });
}

async function bundle(entry: URL, more: BuildOptions): Promise<string> {
  const common = { bundle: true, format: "iife", target: "es2022", write: false } as const;
  const { outputFiles } = await build({ entryPoints: [fileURLToPath(entry)], ...common, ...more, write: false });
  return outputFiles[0]!.text;
}

const laterFormat = ["export const FORMAT = 1;", "export const FORMAT = 2;"] as const;
const servesItselfOnly = ["const SERVED_FROM = 1;", "const SERVED_FROM = 2;"] as const;
const script = buildApp([]);
const worker = buildApp([], "worker.ts");
const vaultWorker = bundle(new URL("../../../src/vault-worker.ts", import.meta.url), { format: "esm" });
const laterScripts = { shared: buildApp([laterFormat]), alone: buildApp([laterFormat, servesItselfOnly]) };

export async function startSite(browser: Browser, options: SiteOptions = {}): Promise<Site> {
  const {
    accessTokenSeconds = 30,
    reuseGraceSeconds = 0,
    insecure = false,
    revokes = false,
    session = {},
    inMemory = false,
    dpop = false,
    rotate = true,
    vault,
    idle,
    pollEvery = 0,
    devtools = false,
    way,
    laterServesItselfOnly = false,
  } = options;
  const strangers = await startStrangers();
  const later = laterScripts[laterServesItselfOnly ? "alone" : "shared"];
  const scripts = { app: await script, later: await later, worker: await worker, vaultWorker: await vaultWorker };
  const pages = createPages(scripts, strangers.url);
  const backend = createBackend({ lifetimes: { accessTokenSeconds } });
  const server = await startServer({
    fallback: async (request, response) => void ((way && (await backend.handle(request, response))) || pages.answer(request, response)),
    accessTokenSeconds,
    reuseGraceSeconds,
    dpop,
    rotate,
    ...(insecure && { origin: (port: number) => `http://${insecureHost}:${port}` }),
  });
  const { tokenEndpoint, revocationEndpoint, clientId, url } = server;
  const endpoint = way ? `${url}/${way}/refresh` : tokenEndpoint;
  const forPage: AppOptions = {
    tokenEndpoint: endpoint,
    clientId,
    session,
    vault,
    idle,
    pollEvery,
    devtools,
    ...(way && { way }),
    ...(revokes && { revocationEndpoint }),
    ...(inMemory && { inMemory }),
  };
  const address = (query = "", more: Partial<AppOptions> = {}) =>
    `${url}/${query}#${encodeURIComponent(JSON.stringify({ ...forPage, ...more }))}`;
  const opened: Tab[] = [];

  async function open(
    count: number,
    { newTab }: Pick<Browser, "newTab"> = browser,
    page = "",
    more: Partial<AppOptions> = {},
  ): Promise<Tab[]> {
    const tabs: Tab[] = [];
    for (let index = 0; index < count; index++) {
      const tab = await newTab(address(page, more));
      opened.push(tab);
      tabs.push(tab);
      await tab.run(waitUntilReady);
    }
    return tabs;
  }

  async function signIn(tab: Tab, subject: "ada" | "grace"): Promise<void> {
    if (way) return tab.run(signInByCookie, subject);
    const tokens = await server.issueTokens({ subject, jkt: await tab.run(() => app.loginKey()) });
    await tab.run((response) => app.session.signIn(response), tokens);
  }

  return {
    server,
    backend,
    url,
    address,
    strangers,
    reports: pages.reports,
    elsewhere: `${url}/elsewhere`,
    goBack: pages.goBack,
    open: (count, window) => open(count, window),
    openAt: async (path, more) => (await open(1, browser, path, more))[0]!,
    signIn,
    async openSignedIn(count, subject = "ada", window = browser) {
      const tabs = await open(count, window);
      await signIn(tabs[0]!, subject);
      for (const tab of tabs) await tab.run(waitUntilSignedIn);
      return tabs;
    },
    async close() {
      // Those that a scenario closed or crashed are gone already.
      await Promise.allSettled(opened.map((tab) => tab.close()));
      await Promise.all([server.close(), strangers.close()]);
      backend.closeDatabase();
    },
  };
}

/** In the page. */
async function signInByCookie(user: string): Promise<void> {
  await fetch("/cookie/sign-in", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ user }) });
  await app.session.signIn();
}

/** In the page. WebKit may load a page before its modules have run. */
async function waitUntilReady(): Promise<void> {
  while (!("app" in globalThis)) await new Promise((resolve) => setTimeout(resolve, 10));
  await app.session.ready;
}

/** In the page. */
function waitUntilSignedIn(): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (app.session.getSnapshot().status !== "signed-in") return;
      undo();
      resolve();
    };
    const undo = app.session.subscribe(look);
    look();
  });
}
