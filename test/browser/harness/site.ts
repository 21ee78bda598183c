import { fileURLToPath } from "node:url";
import { build } from "esbuild";
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
  idle?: AppOptions["idle"];
  pollEvery?: number;
  devtools?: boolean;
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
  /** As `open`, then signs in from the first tab, and returns when all know of it. What set-up cost is not counted. */
  openSignedIn(count: number, subject?: "ada" | "grace", window?: Pick<Browser, "newTab">): Promise<Tab[]>;
  signIn(tab: Tab, subject: "ada" | "grace"): Promise<void>;
  /** A page that takes the tab back to where it came from once `goBack` is called. */
  readonly elsewhere: string;
  goBack(): void;
  close(): Promise<void>;
}

const script = build({
  entryPoints: [fileURLToPath(new URL("page.ts", import.meta.url))],
  bundle: true,
  format: "esm",
  target: "es2022",
  write: false,
}).then(({ outputFiles }) => outputFiles[0]!.text);

export async function startSite(browser: Browser, options: SiteOptions = {}): Promise<Site> {
  const {
    accessTokenSeconds = 30,
    reuseGraceSeconds = 0,
    insecure = false,
    revokes = false,
    session = {},
    idle,
    pollEvery = 0,
    devtools = false,
    way,
  } = options;
  const strangers = await startStrangers();
  const pages = createPages(await script, strangers.url);
  const backend = createBackend({ lifetimes: { accessTokenSeconds } });
  const server = await startServer({
    fallback: async (request, response) => void ((way && (await backend.handle(request, response))) || pages.answer(request, response)),
    accessTokenSeconds,
    reuseGraceSeconds,
    ...(insecure && { origin: (port: number) => `http://${insecureHost}:${port}` }),
  });
  const { tokenEndpoint, revocationEndpoint, clientId, url } = server;
  const endpoint = way ? `${url}/${way}/refresh` : tokenEndpoint;
  const forPage: AppOptions = {
    tokenEndpoint: endpoint,
    clientId,
    session,
    idle,
    pollEvery,
    devtools,
    ...(way && { way }),
    ...(revokes && { revocationEndpoint }),
  };
  const address = (query = "", more: Partial<AppOptions> = {}) =>
    `${url}/${query}#${encodeURIComponent(JSON.stringify({ ...forPage, ...more }))}`;
  const opened: Tab[] = [];

  async function open(count: number, { newTab }: Pick<Browser, "newTab"> = browser): Promise<Tab[]> {
    const tabs: Tab[] = [];
    for (let index = 0; index < count; index++) {
      const tab = await newTab(address());
      opened.push(tab);
      tabs.push(tab);
      await tab.run(() => app.session.ready);
    }
    return tabs;
  }

  async function signIn(tab: Tab, subject: "ada" | "grace"): Promise<void> {
    if (way) return tab.run(signInByCookie, subject);
    const tokens = await server.issueTokens({ subject });
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
    open,
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
