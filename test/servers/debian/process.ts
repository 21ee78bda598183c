import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** A server of another language. `ready` looks at what it has printed so far, or asks it; rejects with that when the server ends first. */
export async function startProcess(
  command: string,
  args: string[],
  ready: (output: string) => Promise<boolean> | boolean,
  env: NodeJS.ProcessEnv = {},
): Promise<{ output: () => string; stop: () => Promise<void> }> {
  const child: ChildProcess = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, "exit");
  const stop = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  const deadline = Date.now() + 30_000;
  while (!(await ready(output))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`${command} did not start:\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { output: () => output, stop };
}
