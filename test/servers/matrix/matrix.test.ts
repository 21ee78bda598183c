import { afterAll, describe, expect, it } from "vitest";
import { play } from "./cases.js";
import { CASES } from "./row.js";
import { rows } from "./rows/index.js";
import { readTable, table, writeTable } from "./table.js";

/** `npm run test:full` asks for all of them, and a server that is missing then fails; `npm test` for those of npm. */
const wanted = process.env.TOKENTIDE_SERVERS === "all" ? rows : rows.filter(({ debian }) => !debian);
const results = new Map<string, string>();

describe.each(wanted)("$server, $way", (row) => {
  afterAll(() => row.finish?.());
  it.each(CASES.filter((name) => !row.without?.[name]))("%s", { timeout: 60_000 }, async (name) => {
    const missing = row.missing?.();
    if (missing) throw new Error(missing);
    results.set(`${row.server}|${row.way}|${name}`, await play(row, name));
  });
});

afterAll(() => {
  if (process.env.TOKENTIDE_SERVERS_TABLE === "write") writeTable(table(rows, results));
});

it.runIf(wanted.length === rows.length && !process.env.TOKENTIDE_SERVERS_TABLE)("docs/servers.md says what this run showed", () => {
  expect(readTable()).toBe(table(rows, results));
});
