import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { folder } from "../../../scripts/debian-servers.js";
import { startProcess } from "./process.js";

const binary = join(folder, "usr/bin/glewlwyd");

export function glewlwydMissing(): string | undefined {
  return existsSync(binary) ? undefined : "glewlwyd is not installed: node scripts/debian-servers.js (Debian)";
}

/** It prints no port, so it has to be told a free one. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const modules = { user: "user", client: "client", user_auth_scheme: "scheme", plugin: "plugin" };

function configuration(port: number, origin: string, database: string): string {
  const settings: Record<string, string> = {
    bind_address: "127.0.0.1",
    external_url: origin,
    login_url: "login.html",
    api_prefix: "api",
    allow_origin: "*",
    log_mode: "console",
    log_level: "ERROR",
    session_key: "session",
    admin_scope: "g_admin",
    profile_scope: "g_profile",
    hash_algorithm: "SHA512",
  };
  for (const [name, place] of Object.entries(modules)) settings[`${name}_module_path`] = join(folder, "usr/lib/glewlwyd", place);
  const lines = Object.entries(settings).map(([name, value]) => `${name}="${value}"`);
  return [`port=${port}`, "cookie_secure=0", ...lines, `database = { type = "sqlite3" path = "${database}" };`, ""].join("\n");
}

/** One plugin for OAuth 2, whose refresh tokens stay the same, and one for OpenID Connect, which gives a new one each time. */
const plugins = {
  oauth: { module: "oauth2-glewlwyd", scope: "g_profile", profile: "profile", table: "gpg_refresh_token", enabled: "gpgr_enabled" },
  oidc: { module: "oidc", scope: "openid g_profile", profile: "userinfo", table: "gpo_refresh_token", enabled: "gpor_enabled" },
} as const;

export type GlewlwydPlugin = keyof typeof plugins;

interface GlewlwydOptions {
  /** Seconds for which access tokens live. */
  lifetime: number;
  plugin?: GlewlwydPlugin;
  /** Binds tokens to keys (RFC 9449); with `"nonces"`, each proof needs a nonce. Only the plugin for OpenID Connect can do that. */
  dpop?: "nonces" | "no nonces" | undefined;
  /** Seconds by which a proof may be too old, or ahead. @default [60, 5] */
  proofTimes?: [number, number];
  /** What pages call the server, to which proofs are compared. @default its own address */
  origin?: string;
}

const pluginSettings = (name: GlewlwydPlugin, issuer: string, { lifetime, dpop, proofTimes: [old, ahead] = [60, 5] }: GlewlwydOptions) => ({
  module: plugins[name].module,
  name,
  display_name: name,
  parameters: {
    ...{ iss: issuer, "jwt-type": "sha", "jwt-key-size": "256", key: "only the tests have this key" },
    ...{ "access-token-duration": lifetime, "refresh-token-duration": 1_209_600, "code-duration": 600 },
    ...{ "refresh-token-rolling": true, "refresh-token-one-use": "always" },
    ...{ "auth-type-code-enabled": true, "auth-type-implicit-enabled": false, "auth-type-password-enabled": false },
    ...{ "auth-type-client-enabled": false, "auth-type-refresh-enabled": true, "auth-type-device-enabled": false },
    ...(dpop && { "oauth-dpop-allowed": true, "oauth-dpop-iat-duration": old, "oauth-dpop-iat-gap-duration": ahead }),
    ...(dpop && { "oauth-dpop-nonce-mandatory": dpop === "nonces", "oauth-dpop-nonce-counter": 10 }),
    ...{ scope: [], "additional-parameters": [], "pkce-allowed": true, "introspection-revocation-allowed": false },
  },
});

const CLIENT = "spa";
const REDIRECT = "http://localhost/callback";

const client = {
  client_id: CLIENT,
  name: CLIENT,
  confidential: false,
  enabled: true,
  redirect_uri: [REDIRECT],
  authorization_type: ["code", "refresh_token"],
  scope: ["g_profile", "openid"],
};

export async function startGlewlwyd(options: GlewlwydOptions) {
  const { plugin = "oauth" } = options;
  const { scope, profile, table, enabled } = plugins[plugin];
  const place = mkdtempSync(join(tmpdir(), "tokentide-glewlwyd-"));
  const database = join(place, "glewlwyd.db");
  const schema = new Sqlite(database);
  schema.exec(readFileSync(join(folder, "usr/share/dbconfig-common/data/glewlwyd/install/sqlite3"), "utf8"));
  schema.close();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const { origin = url } = options;
  const issuer = `${origin}/api/${plugin}`;
  const endpoints = `${url}/api/${plugin}`;
  const file = join(place, "glewlwyd.conf");
  writeFileSync(file, configuration(port, origin, database));
  const answers = () =>
    fetch(`${url}/api/auth/`).then(
      () => true,
      () => false,
    );
  const open = () => startProcess(binary, ["-c", file], answers);
  let server = await open();

  async function call(method: string, path: string, body: unknown, cookie = ""): Promise<Response> {
    const headers = { "content-type": "application/json", cookie };
    const answer = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`glewlwyd answered ${answer.status} to ${path}: ${await answer.text()}`);
    return answer;
  }
  // The administrator that its own installation makes, who is a user, too.
  const admin = await call("POST", "/api/auth/", { username: "admin", password: "password" });
  const cookie = admin.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .join("; ");
  await call("POST", "/api/mod/plugin/", pluginSettings(plugin, issuer, options), cookie);
  await call("POST", "/api/client/", client, cookie);
  await call("PUT", `/api/auth/grant/${CLIENT}`, { scope }, cookie);

  const token = (form: Record<string, string>) =>
    fetch(`${endpoints}/token`, { method: "POST", body: new URLSearchParams({ client_id: CLIENT, ...form }) });

  /** Returns a code, as somebody who has logged in there and has agreed. */
  async function authorize(further: Record<string, string> = {}) {
    const verifier = randomBytes(32).toString("base64url");
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    const query = new URLSearchParams({
      ...{ response_type: "code", client_id: CLIENT, redirect_uri: REDIRECT, scope, nonce: "n", state: "s", g_continue: "" },
      ...{ code_challenge: challenge, code_challenge_method: "S256", ...further },
    });
    const agreed = await fetch(`${endpoints}/auth?${query}`, { headers: { cookie }, redirect: "manual" });
    const code = new URL(agreed.headers.get("location") ?? "", url).searchParams.get("code");
    if (!code) throw new Error(`glewlwyd gave no code: ${agreed.status} ${agreed.headers.get("location")}`);
    return { grant_type: "authorization_code", code, redirect_uri: REDIRECT, code_verifier: verifier };
  }

  return {
    url,
    issuer,
    clientId: CLIENT,
    tokenPath: `/api/${plugin}/token`,
    apiPath: `/api/${plugin}/${profile}`,
    authorize,
    /** By code and PKCE (RFC 7636). */
    async signIn() {
      const answer = await token(await authorize());
      if (!answer.ok) throw new Error(`glewlwyd answered ${answer.status} to the code: ${await answer.text()}`);
      return (await answer.json()) as { access_token: string; refresh_token: string };
    },
    refresh: (refreshToken: string) => token({ grant_type: "refresh_token", refresh_token: refreshToken }),
    /** What its administration page sets. */
    revoke() {
      const tokens = new Sqlite(database);
      tokens.exec(`UPDATE ${table} SET ${enabled} = 0`);
      tokens.close();
    },
    async restart() {
      await server.stop();
      server = await open();
    },
    async close() {
      await server.stop();
      rmSync(place, { recursive: true, force: true });
    },
  };
}
