import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const folder = fileURLToPath(new URL(".", import.meta.url));
const text = readFileSync(new URL("../docs/behaviours.md", import.meta.url), "utf8");

interface Behaviour {
  readonly number: string;
  readonly owed: boolean;
  readonly sentence: string;
}

/** `F1–F4` stands for four numbers. */
function expand(range: string): string[] {
  const [, kind, from, to = from] = /^([A-Z])(\d+)(?:–\1(\d+))?$/.exec(range) ?? [];
  return Array.from({ length: Number(to) - Number(from) + 1 }, (_, index) => `${kind}${Number(from) + index}`);
}

const tables = text
  .split(/^## /m)
  .map((section) =>
    [...section.matchAll(/^\| ([A-Z]\d\S*)( \*owed\*)? \| (.*) \|$/gm)].flatMap(([, range = "", owed, sentence = ""]): Behaviour[] =>
      expand(range).map((number) => ({ number, owed: owed !== undefined, sentence })),
    ),
  );
const listed = tables.flat();

/** For each number, the tests whose names have it. */
const named = new Map<string, string[]>();
for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
  if (!/\.tsx?$/.test(file) || file.includes("node_modules")) continue;
  const source = ts.createSourceFile(file, readFileSync(`${folder}/${file}`, "utf8"), ts.ScriptTarget.ES2022, true);
  for (const { number, at } of numbersIn(source)) {
    const place = `${file}:${source.getLineAndCharacterOfPosition(at).line + 1}`;
    named.set(number, [...(named.get(number) ?? []), place]);
  }
}

/** The numbers in a title, and the numbers at the beginning of a text in the table that fills the title in. */
function* numbersIn(source: ts.SourceFile): Generator<{ number: string; at: number }> {
  for (const call of nodes(source)) {
    if (!ts.isCallExpression(call) || !isTest(call.expression)) continue;
    const [title] = call.arguments;
    if (title) for (const [number] of title.getText().matchAll(/\b[RXJAEFIP]\d+\b/g)) yield { number, at: title.getStart() };
    for (const node of ts.isCallExpression(call.expression) ? rows(call.expression, source) : []) {
      const [numbers = ""] = ts.isStringLiteralLike(node) ? (/^([RXJAEFIP]\d+( |$))+/.exec(node.text) ?? []) : [];
      for (const number of numbers.split(" ").filter(Boolean)) yield { number, at: node.getStart() };
    }
  }
}

/** Matches `it("…")` and `describe.each(…)("…")`, but not `it.each(…)` alone, and no test that is skipped. */
function isTest(callee: ts.Expression): boolean {
  const takesTwoCalls = ts.isCallExpression(callee);
  const name = (takesTwoCalls ? callee.expression : callee).getText();
  return /^(it|test|describe)\b/.test(name) && !/\.(todo|skip)\b/.test(name) && takesTwoCalls === /\.(each|for|runIf|skipIf)$/.test(name);
}

/** The nodes of a table, and of the variables of the same file that the table names. */
function* rows({ arguments: tables }: ts.CallExpression, source: ts.SourceFile): Generator<ts.Node> {
  const names = new Set<string>();
  for (const table of tables) {
    for (const node of nodes(table)) {
      if (ts.isIdentifier(node)) names.add(node.text);
      yield node;
    }
  }
  for (const node of nodes(source)) {
    if (ts.isVariableDeclaration(node) && names.has(node.name.getText()) && node.initializer) yield* nodes(node.initializer);
  }
}

function* nodes(node: ts.Node): Generator<ts.Node> {
  yield node;
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => void children.push(child));
  for (const child of children) yield* nodes(child);
}

describe("docs/behaviours.md", () => {
  const numberOf = (number: string) => Number(number.slice(1));
  const known = new Map(listed.map((behaviour) => [behaviour.number, behaviour]));

  it("lists each number once", () => {
    const numbers = listed.map(({ number }) => number);
    expect(numbers.filter((number, index) => numbers.indexOf(number) !== index)).toEqual([]);
  });

  it("has the numbers of a table in order", () => {
    const late = tables.flatMap((table) =>
      table.filter(({ number }, index) => {
        const before = table[index - 1]?.number;
        return before?.[0] === number[0] && numberOf(before ?? "") > numberOf(number);
      }),
    );
    expect(late.map(({ number }) => `${number} comes too late in its table`)).toEqual([]);
  });

  it.each(["R1–R97", "X1–X14", "P1–P5"])("lists all of %s", (range) => {
    expect(expand(range).filter((number) => !known.has(number))).toEqual([]);
  });

  it("says each behaviour in one sentence", () => {
    const wrong = listed.filter(({ sentence }) => !/^[^.!?]\S*( \S+)+\.$/.test(sentence) || /[.!?] [A-Z`]/.test(sentence));
    expect(wrong.map(({ number, sentence }) => `${number}: ${sentence}`)).toEqual([]);
  });

  it("lists every number that the name of a test has", () => {
    const unknown = [...named].filter(([number]) => !known.has(number));
    expect(unknown.map(([number, places]) => `${number} is not in docs/behaviours.md, but in the names of ${places.join(", ")}`)).toEqual(
      [],
    );
  });

  it("has a test whose name has the number for every behaviour that is not owed", () => {
    const untested = listed.filter(({ number, owed }) => !owed && !named.has(number));
    expect(untested.map(({ number, sentence }) => `${number} is in the name of no test: test it, or mark it *owed*. ${sentence}`)).toEqual(
      [],
    );
  });

  it("calls no behaviour owed that the name of a test has", () => {
    const paid = listed.filter(({ number, owed }) => owed && named.has(number));
    expect(paid.map(({ number }) => `${number} is marked *owed*, but is in the names of ${named.get(number)?.join(", ")}`)).toEqual([]);
  });
});

describe("docs/correctness.md", () => {
  const correctness = readFileSync(new URL("../docs/correctness.md", import.meta.url), "utf8");

  it.each([
    ["Two origins that share one rotating cookie", "Renew on one origin"],
    ["An idle limit that only some tabs have", "may be signed out while active"],
    ["Activity inside frames", "call `session.touch()`"],
    ["Servers that give browsers no refresh token", "Google and GitHub"],
  ])("R95 tells of a limit that no client can lift, with its consequence or a way out: %s", (limit, wayOut) => {
    const paragraph = correctness.split("\n").find((line) => line.startsWith(`- **${limit}`));
    expect(paragraph).toContain(wayOut);
  });
});
