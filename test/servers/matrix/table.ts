import { readFileSync, writeFileSync } from "node:fs";
import { CASES, type Row } from "./row.js";

const file = new URL("../../../docs/servers.md", import.meta.url);
const BEGIN = "<!-- the table is written by `npm run servers` -->\n";
const END = "<!-- end of the table -->";

/** What was shown, case by case. A case that is left out has its reason below the table. */
export function table(rows: readonly Row[], results: ReadonlyMap<string, string>): string {
  const notes: string[] = [];
  const noteFor = (reason: string) => {
    if (!notes.includes(reason)) notes.push(reason);
    return `[${notes.indexOf(reason) + 1}]`;
  };
  const lines = rows.map((row) => {
    const cells = CASES.map((name) => {
      const reason = row.without?.[name];
      return reason ? `– ${noteFor(reason)}` : (results.get(`${row.server}|${row.way}|${name}`) ?? "failed");
    });
    return `| ${[row.server, row.way, ...cells].join(" | ")} |`;
  });
  const head = `| ${["server", "way", ...CASES].join(" | ")} |\n|${" --- |".repeat(CASES.length + 2)}`;
  const foot = notes.map((note, index) => `\n[${index + 1}] ${note}\n`).join("");
  return `${head}\n${lines.join("\n")}\n${foot}`;
}

export function readTable(): string {
  const text = readFileSync(file, "utf8");
  return text.slice(text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END));
}

export function writeTable(content: string): void {
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.slice(0, text.indexOf(BEGIN) + BEGIN.length) + content + text.slice(text.indexOf(END)));
}
