import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Which process of a browser started from here spends its time on what `load` makes one page do. Linux only. */
export async function busiestContentProcess(load: () => Promise<unknown>): Promise<number> {
  const before = contentProcesses();
  await load();
  const spent = [...contentProcesses()].map(([pid, ticks]) => ({ pid, ticks: ticks - (before.get(pid) ?? ticks) }));
  const busiest = spent.sort((one, other) => other.ticks - one.ticks)[0];
  if (!busiest?.ticks) throw new Error("no content process was busy");
  return busiest.pid;
}

/** Ticks of processor time that each content process below this one has spent. */
function contentProcesses(): Map<number, number> {
  const lines = execFileSync("ps", ["-eo", "pid=,ppid=,comm="], { encoding: "utf8" }).trim().split("\n");
  const processes = lines.map((line) => {
    const [pid, parent, ...name] = line.trim().split(/\s+/);
    return { pid: Number(pid), parent: Number(parent), name: name.join(" ") };
  });
  const ours = new Set([process.pid]);
  for (let size = 0; size !== ours.size; ) {
    size = ours.size;
    for (const { pid, parent } of processes) if (ours.has(parent)) ours.add(pid);
  }
  const ticks = new Map<number, number>();
  for (const { pid, name } of processes) {
    if (!ours.has(pid) || !/^(Isolated Web|WebKitWebProc)/.test(name)) continue;
    try {
      // User and system time are the 14th and 15th field; the second one may hold spaces, and ends with a bracket.
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
      ticks.set(pid, Number(fields[11]) + Number(fields[12]));
    } catch {
      // It has ended meanwhile.
    }
  }
  return ticks;
}
