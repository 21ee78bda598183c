import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

/** `F3–F5` is three of them. */
function* expand(numbers: string): Generator<string> {
  for (const [, letter = "", from, to = from] of numbers.matchAll(/([A-Z])(\d+)(?:–[A-Z](\d+))?/g)) {
    for (let number = Number(from); number <= Number(to); number += 1) yield `${letter}${number}`;
  }
}

const rows = [...read("README.md").matchAll(/^\| ([A-Z]\d.*?) \| (\S+) \|$/gm)].map(([, numbers = "", file = ""]) => ({ numbers, file }));

it.each(rows)("$numbers: each is named by a test in $file", ({ numbers, file }) => {
  const text = read(`../${file}`);
  expect([...expand(numbers)].filter((number) => !new RegExp(`\\b${number}\\b`).test(text))).toEqual([]);
});

it("no number of the lists is missing", () => {
  const listed = new Set(rows.flatMap(({ numbers }) => [...expand(numbers)]));
  const wanted = [...expand("J1–J15, A1–A11, A13, A15, A16, A18–A20, A23, A25–A30, A32, A33, E1–E6, I1–I6, F1–F34, X1–X14")];
  expect(wanted.filter((number) => !listed.has(number))).toEqual([]);
});
