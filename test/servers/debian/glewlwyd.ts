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

function configuration(port: number, database: string): string {
  const settings: Record<string, string> = {
    bind_address: "127.0.0.1",
    external_url: `http://localhost:${port}`,
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

const plugin = (lifetime: number) => ({
  module: "oauth2-glewlwyd",
  name: "oauth",
  display_name: "OAuth 2",
  parameters: {
    ...{ "jwt-type": "sha", "jwt-key-size": "256", key: "only the tests have this key" },
    ...{ "access-token-duration": lifetime, "refresh-token-duration": 1_209_600, "code-duration": 600, "refresh-token-rolling": true },
    ...{ "auth-type-code-enabled": true, "auth-type-implicit-enabled": false, "auth-type-password-enabled": true },
    ...{ "auth-type-client-enabled": false, "auth-type-refresh-enabled": true, "auth-type-device-enabled": false },
    ...{ scope: [], "additional-parameters": [], "pkce-allowed": false, "introspection-revocation-allowed": false },
  },
});

const client = {
  client_id: "spa",
  name: "spa",
  confidential: false,
  enabled: true,
  redirect_uri: ["http://localhost/"],
  authorization_type: ["code", "password", "refresh_token"],
  scope: ["g_profile"],
};

export async function startGlewlwyd({ lifetime }: { lifetime: number }) {
  const place = mkdtempSync(join(tmpdir(), "tokentide-glewlwyd-"));
  const database = join(place, "glewlwyd.db");
  const schema = new Sqlite(database);
  schema.exec(readFileSync(join(folder, "usr/share/dbconfig-common/data/glewlwyd/install/sqlite3"), "utf8"));
  schema.close();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const file = join(place, "glewlwyd.conf");
  writeFileSync(file, configuration(port, database));
  const answers = () =>
    fetch(`${url}/api/auth/`).then(
      () => true,
      () => false,
    );
  const open = () => startProcess(binary, ["-c", file], answers);
  let server = await open();

  const post = (path: string, body: unknown, cookie = "") =>
    fetch(url + path, { method: "POST", headers: { "content-type": "application/json", cookie }, body: JSON.stringify(body) });
  // The administrator that its own installation makes.
  const admin = await post("/api/auth/", { username: "admin", password: "password" });
  const cookie = admin.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .join("; ");
  for (const [path, body] of [
    ["/api/mod/plugin/", plugin(lifetime)],
    ["/api/client/", client],
  ] as const) {
    const answer = await post(path, body, cookie);
    if (!answer.ok) throw new Error(`glewlwyd answered ${answer.status} to ${path}: ${await answer.text()}`);
  }

  const tokenPath = "/api/oauth/token";
  const token = (form: Record<string, string>) =>
    fetch(url + tokenPath, { method: "POST", body: new URLSearchParams({ client_id: "spa", ...form }) });
  return {
    url,
    tokenPath,
    apiPath: "/api/oauth/profile",
    signIn: async () =>
      (await (await token({ grant_type: "password", username: "admin", password: "password", scope: "g_profile" })).json()) as {
        access_token: string;
        refresh_token: string;
      },
    refresh: (refreshToken: string) => token({ grant_type: "refresh_token", refresh_token: refreshToken }),
    /** What its administration page sets. */
    revoke() {
      const tokens = new Sqlite(database);
      tokens.exec("UPDATE gpg_refresh_token SET gpgr_enabled = 0");
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
