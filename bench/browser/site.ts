import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { imports } from "../sizes.js";

const LIFE = 3600;

/** The pages of the measurements, an API, and a token endpoint that gives each refresh token once. */
export async function startSite() {
  let serial = 1;
  const refused = { tokens: 0, calls: 0 };
  const counts = { refreshes: 0 };
  const tokens = () => ({ access_token: `access-${serial}`, refresh_token: `refresh-${serial}`, expires_in: LIFE, token_type: "Bearer" });
  const files = await pages();

  const http = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "", "http://localhost");
    const json = (value: unknown, status = 200) => {
      response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
      response.end(JSON.stringify(value));
    };
    if (pathname === "/token") {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const sent = new URLSearchParams(Buffer.concat(chunks).toString()).get("refresh_token");
      if (sent !== `refresh-${serial}`) {
        refused.tokens++;
        return json({ error: "invalid_grant" }, 400);
      }
      counts.refreshes++;
      serial++;
      return json(tokens());
    }
    if (pathname === "/api/me") {
      const ok = request.headers.authorization === `Bearer access-${serial}`;
      if (!ok) refused.calls++;
      return json({}, ok ? 200 : 401);
    }
    const page = files[pathname];
    if (!page) return json({}, 404);
    // Isolated pages have a fine clock.
    response.writeHead(200, {
      "content-type": page.type,
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
    response.end(page.content.replaceAll("ACCESS_TOKEN", () => `access-${serial}`));
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  return {
    url: `http://localhost:${(http.address() as AddressInfo).port}`,
    counts,
    refused,
    tokens,
    async close() {
      http.closeAllConnections();
      http.close();
      await once(http, "close");
    },
  };
}

/** Where the page is that has a bundle's text. */
export const pathOf = (name: string) => `/start/${encodeURIComponent(name)}`;

/** Whose bundles are compiled beside ours: the least that refreshes, what `oauth2` is made with, and some that do the whole job. */
export const compared = ["60-line floor", "ky with a hook", "@supabase/auth-js", "oidc-client-ts", "@auth0/auth0-spa-js"] as const;

async function pages(): Promise<Record<string, { type: string; content: string }>> {
  const options = { bundle: true, minify: true, target: "es2022", write: false, globalName: "app" } as const;
  const script = async (name: string, format: "esm" | "iife") => {
    const entry = fileURLToPath(new URL(name, import.meta.url));
    const { outputFiles } = await build({ ...options, entryPoints: [entry], format });
    return outputFiles[0]!.text;
  };
  const bundle = async (contents: string) => {
    const stdin = { contents, resolveDir: fileURLToPath(new URL("..", import.meta.url)) };
    const { outputFiles } = await build({ ...options, stdin, format: "iife", platform: "browser", logLevel: "silent" });
    return outputFiles[0]!.text;
  };
  /** Text that a page has, and does not run by itself. */
  const source = (text: string) => html(`<script type="text/plain" id="source">${text.replaceAll("</", "<\\/")}</script>`);
  const html = (body: string) => ({ type: "text/html", content: `<!doctype html><title>tokentide</title>${body}` });
  const module = (content: string) => ({ type: "text/javascript", content });
  return {
    "/tab": html(`<script type="module" src="/tab.js"></script>`),
    "/tab.js": module(await script("tab.ts", "esm")),
    "/first": html(`<script type="module" src="/first.js"></script>`),
    "/first.js": module(await script("first.ts", "esm")),
    "/by-hand": html(`<script type="module" src="/by-hand.js"></script>`),
    "/by-hand.js": module(`fetch("/api/me", { headers: { authorization: "Bearer ACCESS_TOKEN" } }).then((response) => response.text());`),
    "/stored": html(`<script type="module" src="/stored.js"></script>`),
    "/stored.js": module(await script("stored.ts", "esm")),
    "/start": source(await script("app.ts", "iife")),
    ...Object.fromEntries(await Promise.all(compared.map(async (name) => [pathOf(name), source(await bundle(imports[name]))] as const))),
  };
}
