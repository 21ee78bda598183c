import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { findWebKit, webKitDriver } from "../../../scripts/engines.js";
import type { Browser, Tab } from "./browser.js";
import { startProxy } from "./proxy.js";

/** WebKitGTK's MiniBrowser, over plain WebDriver, on a display of its own. */
export async function launchWebKit(): Promise<Browser> {
  const binary = findWebKit();
  if (!binary) throw new Error("WebKitGTK's driver is not installed (Debian: apt-get install webkit2gtk-driver xvfb).");
  const proxy = await startProxy();
  const { call, stop, sessionId, version } = await startSession(binary, proxy.address);
  const session = `/session/${sessionId}`;

  // WebDriver has one current window: each command is to switch and to act, one after the other.
  let line: Promise<unknown> = Promise.resolve();
  const inWindow = <T>(handle: string, act: () => Promise<T>): Promise<T> => {
    const next = line.then(async () => {
      await call("POST", `${session}/window`, { handle });
      return act();
    });
    line = next.catch(() => {});
    return next;
  };
  // Never closed: closing the last window ends the session.
  const home = (await call("GET", `${session}/window`)) as string;

  return {
    engine: "webkit",
    version,
    backForwardCache: false,
    survivesCrash: false,
    async newTab(url) {
      const opened = await inWindow(home, () => call("POST", `${session}/window/new`, { type: "window" }));
      const tab = webkitTab((opened as { handle: string }).handle, inWindow, (method, path, body) =>
        call(method, `${session}${path}`, body),
      );
      await tab.goto(url);
      return tab;
    },
    async close() {
      await call("DELETE", session).catch(() => {});
      stop();
      await proxy.close();
    },
  };
}

/** A browser may end at its start, one in fifty where several start side by side, and the driver waits for it for ever. */
const START = 15_000;

async function startSession(binary: string, proxy: string, attempts = 3) {
  const children: ChildProcess[] = [];
  const stop = () => {
    for (const child of children.reverse()) child.kill();
  };
  try {
    const display = await startDisplay(children);
    const port = await freePort();
    children.push(spawn(webKitDriver, ["-p", `${port}`], { stdio: "ignore", env: { ...process.env, DISPLAY: display } }));
    const call = caller(`http://127.0.0.1:${port}`);
    for (let look = 0; look < 200; look++) {
      if (await call("GET", "/status").catch(() => undefined)) break;
      await sleep(30);
    }
    const alwaysMatch = {
      // A name that stands for this machine: WebKit has no setting for it but a proxy. By arguments, since one browser in ten (2.50) crashes
      // at its start when WebDriver's `noProxy` has entries.
      "webkitgtk:browserOptions": {
        binary,
        args: ["--automation", `--proxy=http://${proxy}`, "--ignore-host=localhost", "--ignore-host=127.0.0.1"],
      },
    };
    const answer = await call("POST", "/session", { capabilities: { alwaysMatch } }, AbortSignal.timeout(START));
    const { sessionId, capabilities } = answer as { sessionId: string; capabilities: { browserVersion: string } };
    return { call, stop, sessionId, version: capabilities.browserVersion };
  } catch (error) {
    stop();
    if (attempts === 1) throw error;
    return startSession(binary, proxy, attempts - 1);
  }
}

type Call = (method: string, path: string, body?: unknown, signal?: AbortSignal) => Promise<unknown>;

function webkitTab(handle: string, inWindow: <T>(handle: string, act: () => Promise<T>) => Promise<T>, call: Call): Tab {
  let runs = 0;
  const execute = (script: string, ...args: unknown[]) => inWindow(handle, () => call("POST", "/execute/sync", { script, args }));

  // Starts it, then looks for its result: a script that is waited for in one window blocks the commands to all others.
  async function run(script: (argument: never) => unknown, argument?: unknown): Promise<never> {
    const id = ++runs;
    await execute(
      `const [id, argument] = arguments, results = (window.results ??= {});
       const keep = (result) => { results[id] = result; };
       Promise.resolve().then(() => (${script})(argument)).then((value) => keep({ value: value ?? null }), (error) => keep({ error: String(error) }));`,
      id,
      argument ?? null,
    );
    for (;;) {
      const result = await execute(
        'return window.results ? (window.results[arguments[0]] ?? null) : { error: "the page was replaced" }',
        id,
      );
      const { value, error } = (result ?? {}) as { value?: unknown; error?: string };
      if (error !== undefined) throw new Error(error);
      if (result) return value as never;
      await sleep(15);
    }
  }

  return {
    run: run as Tab["run"],
    goto: async (url) => {
      // An address that differs in its fragment only would not be loaded.
      await inWindow(handle, () => call("POST", "/url", { url }));
    },
    reload: async () => {
      await inWindow(handle, () => call("POST", "/refresh", {}));
    },
    async duplicate() {
      const handles = () => inWindow(handle, () => call("GET", "/window/handles")) as Promise<string[]>;
      const before = await handles();
      // A script may not open a window by itself here, but a user's click may.
      await run(() => {
        const link = Object.assign(document.createElement("a"), {
          href: location.href,
          target: "_blank",
          rel: "opener",
          textContent: "copy",
        });
        document.body.append(link);
      });
      await inWindow(handle, async () => {
        const found = (await call("POST", "/element", { using: "css selector", value: "a[target]" })) as Record<string, string>;
        await call("POST", `/element/${Object.values(found)[0]}/click`, {});
      });
      for (let look = 0; look < 250; look++) {
        const opened = (await handles()).find((other) => !before.includes(other));
        if (opened) return webkitTab(opened, inWindow, call);
        await sleep(20);
      }
      throw new Error("no second tab was opened");
    },
    close: async () => {
      await inWindow(handle, () => call("DELETE", "/window"));
    },
    crash: () => Promise.reject(new Error("WebKit's driver ends its session with the page that crashes")),
  };
}

function caller(address: string): Call {
  return async (method, path, body, signal) => {
    const response = await fetch(`${address}${path}`, {
      method,
      signal: signal ?? null,
      ...(method === "POST" && { body: JSON.stringify(body ?? {}) }),
    });
    const { value } = (await response.json()) as { value: { error?: string; message?: string } | null };
    if (value?.error) throw new Error(`${value.error}: ${value.message} (${method} ${path})`);
    return value;
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function startDisplay(children: ChildProcess[]): Promise<string> {
  const server = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", "1280x800x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  children.push(server);
  const [number] = await once(server.stdio[3] as NodeJS.ReadableStream, "data");
  return `:${String(number).trim()}`;
}
