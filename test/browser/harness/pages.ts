import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";

/** What a page said that had been in the back/forward cache. */
export interface Report {
  status: string;
  serial: string | null;
  heard: string[];
  failures: string[];
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface Scripts {
  readonly app: string;
  /** The app with a later release of the package. */
  readonly later: string;
  readonly worker: string;
  /** What the package publishes as `tokentide/vault-worker`. */
  readonly vaultWorker: string;
}

const root = new URL("../../../", import.meta.url);

/** A page without a bundler: it has the package as it is published, and what that imports. */
const importMap = { imports: { tokentide: "/dist/index.js", "jwt-decode": "/node_modules/jwt-decode/build/esm/index.js" } };
const unbundled = `
  import { createSession, oauth2 } from "tokentide";
  const { tokenEndpoint, clientId } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
  const violations = [];
  addEventListener("securitypolicyviolation", ({ violatedDirective }) => violations.push(violatedDirective));
  globalThis.app = { session: createSession({ refresh: oauth2({ tokenEndpoint, clientId }), lead: 500 }), violations };`;

/** A policy that lets in this origin's modules and nothing else. The nonce is for the import map, which cannot be in a file. */
const strictPolicy = [
  "default-src 'none'",
  "script-src 'self' 'nonce-map'",
  "connect-src 'self'",
  "img-src data:",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/** The app's page and those around it, served from the origin of the API. */
export function createPages(scripts: Scripts, strangers: string) {
  const reports: Report[] = [];
  const waiting: ServerResponse[] = [];
  const html = (content: string) => `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">${content}`;

  function sendApp(response: ServerResponse, policy: string): void {
    response.setHeader("content-security-policy", policy);
    send(response, "text/html", html('<title>app</title><script type="module" src="/app.js"></script>'));
  }

  const routes: Record<string, Answer> = {
    "/": (_, response) => send(response, "text/html", html('<title>app</title><script type="module" src="/app.js"></script>')),
    "/app.js": (_, response) => send(response, "text/javascript", scripts.app),
    "/later": (_, response) => send(response, "text/html", html('<title>app</title><script type="module" src="/later.js"></script>')),
    "/later.js": (_, response) => send(response, "text/javascript", scripts.later),
    "/worker.js": (_, response) => send(response, "text/javascript", scripts.worker),
    "/vault-worker.js": (_, response) => send(response, "text/javascript", scripts.vaultWorker),
    "/no-workers": (_, response) => sendApp(response, "worker-src 'none'"),
    "/trusted-types": (_, response) => sendApp(response, "require-trusted-types-for 'script'; trusted-types other"),
    "/trusted-vault": (_, response) => sendApp(response, "require-trusted-types-for 'script'; trusted-types tokentide"),
    "/frame": (_, response) => send(response, "text/html", html('<title>frame</title><script src="/worker.js"></script>')),
    "/strict": (_, response) => {
      const scripts = `<script type="importmap" nonce="map">${JSON.stringify(importMap)}</script><script type="module" src="/strict.js"></script>`;
      response.setHeader("content-security-policy", strictPolicy);
      send(response, "text/html", html(`<title>strict</title>${scripts}`));
    },
    "/strict.js": (_, response) => send(response, "text/javascript", unbundled),
    "/elsewhere": (_, response) =>
      send(response, "text/html", html('<title>elsewhere</title><script>fetch("/back").then(() => history.back())</script>')),
    "/back": (_, response) => void waiting.push(response),
    "/redirect": (_, response) => void response.writeHead(307, { location: `${strangers}/redirected` }).end(),
    "/report": (request, response) => void takeReport(request, response),
  };

  async function takeReport(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    reports.push(JSON.parse(Buffer.concat(chunks).toString()));
    response.writeHead(204).end();
  }

  return {
    /** Newest last. */
    reports,
    answer(request: IncomingMessage, response: ServerResponse): void {
      const { pathname } = new URL(request.url ?? "/", "http://page");
      const route = routes[pathname];
      if (route) route(request, response);
      else if (/^\/(dist|node_modules\/jwt-decode)\/[\w/-]+\.js$/.test(pathname)) void sendFile(new URL(`.${pathname}`, root), response);
      else response.writeHead(404).end();
    },
    /** Lets the pages elsewhere go back to where they came from. From outside it would not do: Playwright waits for a page that loads. */
    goBack(): void {
      for (const response of waiting.splice(0)) response.writeHead(204).end();
    },
  };
}

function send(response: ServerResponse, type: string, body: string): void {
  response.writeHead(200, { "content-type": `${type}; charset=utf-8` }).end(body);
}

async function sendFile(file: URL, response: ServerResponse): Promise<void> {
  send(response, "text/javascript", await readFile(file, "utf8"));
}
