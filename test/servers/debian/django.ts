import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startProcess } from "./process.js";

const PYTHON = "/usr/bin/python3";
const script = fileURLToPath(new URL("django.py", import.meta.url));

export function djangoMissing(): string | undefined {
  try {
    execFileSync(PYTHON, ["-c", "import oauth2_provider"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "django-oauth-toolkit is not installed: apt-get install python3-django-oauth-toolkit (Debian)";
  }
}

/** `grace`: seconds in which a used refresh token gets the same pair again. */
export async function startDjango({ lifetime, grace }: { lifetime: number; grace: number }) {
  const database = join(tmpdir(), `tokentide-${randomUUID()}.sqlite`);
  const open = (port: number) =>
    startProcess(PYTHON, [script, database, String(port), String(lifetime), String(grace)], (output) => output.includes('"port"'));
  let server = await open(0);
  const { port } = JSON.parse(server.output().slice(server.output().indexOf("{"))) as { port: number };
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    clientId: "spa",
    tokenPath: "/o/token/",
    apiPath: "/api/me",
    signIn: async () => (await (await fetch(`${url}/test/sign-in`)).json()) as { access_token: string; refresh_token: string },
    revoke: () => fetch(`${url}/test/revoke`),
    refresh: (token: string) =>
      fetch(`${url}/o/token/`, {
        method: "POST",
        body: new URLSearchParams({ grant_type: "refresh_token", client_id: "spa", refresh_token: token }),
      }),
    async restart() {
      await server.stop();
      server = await open(port);
    },
    async close() {
      await server.stop();
      for (const end of ["", "-wal", "-shm", "-journal"]) await rm(database + end, { force: true });
    },
  };
}
