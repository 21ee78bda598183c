import type { IncomingMessage, ServerResponse } from "node:http";

/** What a page said that had been in the back/forward cache. */
export interface Report {
  status: string;
  serial: string | null;
  heard: string[];
  failures: string[];
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** The app's page and those around it, served from the origin of the API. `later` is the script of the app with a later release of the package. */
export function createPages(script: string, later: string, strangers: string) {
  const reports: Report[] = [];
  const waiting: ServerResponse[] = [];
  const html = (content: string) => `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">${content}`;

  const routes: Record<string, Answer> = {
    "/": (_, response) => send(response, "text/html", html('<title>app</title><script type="module" src="/app.js"></script>')),
    "/app.js": (_, response) => send(response, "text/javascript", script),
    "/later": (_, response) => send(response, "text/html", html('<title>app</title><script type="module" src="/later.js"></script>')),
    "/later.js": (_, response) => send(response, "text/javascript", later),
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
      const route = routes[new URL(request.url ?? "/", "http://page").pathname];
      if (route) route(request, response);
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
