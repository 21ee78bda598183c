import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import type { Browser, Tab } from "./browser.js";
import { startOwnProfile } from "./chromium.js";

/** What a page can be asked, and no more. */
export type Page = Pick<Tab, "run">;

export interface PrerenderingTab extends Tab {
  /** Has the page in the tab prerender another one, by speculation rules, and waits for that. */
  prerender(url: string): Promise<Page>;
}

export interface PrerenderingBrowser extends Browser {
  newTab(url: string): Promise<PrerenderingTab>;
}

/**
 * A Chromium that prerenders. It does so only for a client that drives its tabs as such, since a prerendered page takes the place of the page
 * that is shown; Playwright drives each page by itself, and turns prerendering off by that.
 */
export async function launchPrerendering(): Promise<PrerenderingBrowser> {
  const { address, backForwardCache, closed } = await startOwnProfile();
  const connection = await connect(address);
  return {
    engine: "chromium",
    version: (await connection.send<{ product: string }>("Browser.getVersion")).product,
    backForwardCache,
    survivesCrash: true,
    async newTab(url) {
      const { targetId } = await connection.send<{ targetId: string }>("Target.createTarget", { url, forTab: true });
      const { sessionId } = await connection.send<{ sessionId: string }>("Target.attachToTarget", { targetId, flatten: true });
      return prerenderingTab(connection, targetId, sessionId);
    },
    async close() {
      await connection.send("Browser.close");
      await closed();
    },
  };
}

interface Message {
  id?: number;
  sessionId?: string;
  method?: string;
  params?: unknown;
  result?: unknown;
  error?: { message: string };
}

/** Of Chromium's DevTools protocol. */
type Connection = Awaited<ReturnType<typeof connect>>;

async function connect(address: string) {
  const socket = new WebSocket(address);
  await once(socket, "open");
  const answers = new Map<number, (message: Message) => void>();
  const listeners = new Set<(message: Message) => void>();
  let sent = 0;
  socket.on("message", (data) => {
    const message: Message = JSON.parse(String(data));
    if (message.id !== undefined) answers.get(message.id)?.(message);
    else for (const listener of listeners) listener(message);
  });
  return {
    listeners,
    send<R>(method: string, params: object = {}, sessionId?: string): Promise<R> {
      const id = ++sent;
      socket.send(JSON.stringify({ id, method, params, sessionId }));
      return new Promise((resolve, reject) => {
        answers.set(id, ({ result, error }) => (error ? reject(new Error(`${method}: ${error.message}`)) : resolve(result as R)));
      });
    },
  };
}

async function prerenderingTab(connection: Connection, targetId: string, tab: string): Promise<PrerenderingTab> {
  /** The pages of the tab: the one that is shown, then the one that is prerendered, which takes its place when the other one has gone. */
  const pages: string[] = [];
  connection.listeners.add(({ sessionId, method, params }) => {
    const { sessionId: page, targetInfo } = (params ?? {}) as { sessionId?: string; targetInfo?: { type: string } };
    if (sessionId !== tab || !page) return;
    if (method === "Target.attachedToTarget" && targetInfo?.type === "page") pages.push(page);
    if (method === "Target.detachedFromTarget" && pages.includes(page)) pages.splice(pages.indexOf(page), 1);
  });
  await connection.send("Target.setAutoAttach", { autoAttach: true, flatten: true, waitForDebuggerOnStart: false }, tab);

  /** Waits until it has been loaded, and meets the condition. */
  async function page(index: number, condition = "true"): Promise<string> {
    const loaded = `location.href !== "about:blank" && document.readyState === "complete" && ${condition}`;
    for (const end = Date.now() + 10_000; Date.now() < end; await sleep(20)) {
      const found = pages[index];
      // It may be gone before it can answer, with or without an error.
      const answer = found && Promise.race([evaluate<boolean>(connection, found, loaded).catch(() => false), sleep(1_000)]);
      if (found && (await answer) === true) return found;
    }
    throw new Error(index === 0 ? "the tab shows no page" : "no page was prerendered");
  }

  const pageAt = (find: () => Promise<string>): Page => ({
    run: async <R, A>(script: (argument: A) => R | Promise<R>, argument?: A) =>
      evaluate<R>(connection, await find(), `(${script})(${JSON.stringify(argument) ?? ""})`),
  });
  const { run } = pageAt(() => page(0));
  /** By the page itself, since what a driver navigates to is never the page that is prerendered. */
  const leave = async (to?: string) => {
    await run((url) => {
      Object.assign(globalThis, { leaving: true });
      setTimeout(() => (url === null ? location.reload() : location.assign(url)));
    }, to ?? null);
    await page(0, "!globalThis.leaving");
  };
  const close = async () => void (await connection.send("Target.closeTarget", { targetId }));
  const cannot = () => Promise.reject(new Error("this driver cannot do it"));
  return {
    run,
    goto: leave,
    close,
    reload: leave,
    duplicate: cannot,
    crash: cannot,
    async prerender(url) {
      await run((url) => {
        const rules = { prerender: [{ source: "list", urls: [url], eagerness: "immediate" }] };
        document.head.append(Object.assign(document.createElement("script"), { type: "speculationrules", text: JSON.stringify(rules) }));
      }, url);
      const prerendered = await page(1);
      return pageAt(async () => prerendered);
    },
  };
}

async function evaluate<R>(connection: Connection, page: string, expression: string): Promise<R> {
  const options = { expression, awaitPromise: true, returnByValue: true };
  const { result, exceptionDetails } = await connection.send<Evaluated>("Runtime.evaluate", options, page);
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value as R;
}

interface Evaluated {
  result: { value?: unknown };
  exceptionDetails?: { text: string; exception?: { description?: string } };
}
