import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { missingPython } from "../../../scripts/debian-servers.js";
import { startProcess } from "./process.js";

const missing = missingPython();

/** Says how to install a server of Python's that is not on this machine. */
export function pythonMissing(server: string): string | undefined {
  const found = missing.find(({ name }) => name === server);
  return found && `${server} is not installed: apt-get install ${found.package} (Debian)`;
}

/** A script of this folder, which is given a database, a port and `args`, and prints its port when it listens. */
export async function startPython(script: string, ...args: readonly (string | number)[]) {
  const database = join(tmpdir(), `tokentide-${randomUUID()}.sqlite`);
  const file = fileURLToPath(new URL(script, import.meta.url));
  const open = (port: number, given = args) =>
    startProcess("/usr/bin/python3", [file, database, String(port), ...given.map(String)], (output) => output.includes('"port"'));
  let server = await open(0);
  const { port } = JSON.parse(server.output().slice(server.output().indexOf("{"))) as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    /** `changed`: other arguments. */
    async restart(...changed: readonly (string | number)[]) {
      await server.stop();
      server = await open(port, changed.length > 0 ? changed : args);
    },
    async close() {
      await server.stop();
      for (const end of ["", "-wal", "-shm", "-journal"]) await rm(database + end, { force: true });
    },
  };
}
