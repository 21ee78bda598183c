import { readdirSync, readFileSync } from "node:fs";
import { join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { type Finding, shapesIn } from "./support/shape.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const src = join(root, "src");

/** From the top down. A folder imports only from rows below its own; folders of one row are strangers. */
const levels = [
  ["entries"],
  ["testing", "devtools"],
  ["audiences", "vault"],
  ["session"],
  ["dpop", "limits", "strategies"],
  ["http"],
  ["sign-in"],
  ["refresh"],
  ["tabs"],
  ["ledger"],
  ["token", "platform"],
  ["errors"],
  ["types"],
];
/** The types that are taken from a row above, and by which files: a type is gone at run time. Null stands for any file. */
const typesFromAbove: Record<string, string[] | null> = {
  // Each part gets the one context that they all share.
  "session/context.ts": null,
  // The settings hold the plugin that `audiences` makes.
  "audiences/audiences.ts": ["session/options.ts"],
  // The event of a failure has the error in it.
  "errors.ts": ["types/session.ts"],
};
/** The most that there may be of each. */
const LIMITS = { linesOfFile: 249, linesOfFunction: 120, changingCaptures: 5, positionalParameters: 4, membersOfParameter: 9 };
/** Bags of options: the app fills them, or a test does. */
const optionBags = new Set(["Settings", "SessionOptions", "Environment"]);
/** Heavy or replaceable packages, each behind one folder or in one entry. No other package is imported at all. */
const packages: Record<string, string[]> = {
  ky: ["ky.ts"],
  axios: ["axios.ts"],
  "jwt-decode": ["token"],
  react: ["react.ts"],
  vue: ["vue.ts"],
  svelte: ["svelte.ts"],
  "solid-js": ["solid.ts"],
  "@angular/core": ["angular.ts"],
  "@angular/common": ["angular.ts"],
  rxjs: ["angular.ts"],
};
/** Of the core, they take types only: whatever the app imports, it has one copy of it. */
const bindings = ["react.ts", "vue.ts", "svelte.ts", "solid.ts", "angular.ts", "axios.ts", "ky.ts"];
/** They come from the environment, so that a test can hand in its own. */
const pageOnly = new Set([
  ...["setTimeout", "clearTimeout", "setInterval", "clearInterval", "requestAnimationFrame", "requestIdleCallback", "fetch"],
  ...["localStorage", "sessionStorage", "indexedDB", "navigator", "window", "document", "location", "BroadcastChannel", "crypto"],
  ...["performance", "console", "addEventListener", "removeEventListener", "dispatchEvent", "reportError", "self"],
]);
const pageOnlyMembers = new Set(["Date.now", "Math.random", "AbortSignal.timeout"]);

interface Import {
  file: string;
  specifier: string;
  typeOnly: boolean;
}

const files = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") || file.endsWith(".tsx"))
  .map((file) => relative(src, join(src, file)).replaceAll("\\", "/"))
  .sort();
const sources = new Map(
  files.map((file) => [file, ts.createSourceFile(file, readFileSync(join(src, file), "utf8"), ts.ScriptTarget.ES2022, true)]),
);
const imports = files.flatMap((file) => importsOf(file, sources.get(file)!));

/** `errors.ts` is a level of its own; any other file at the top is an entry. */
function levelName(file: string): string {
  if (file.includes("/")) return file.slice(0, file.indexOf("/"));
  return file === "errors.ts" ? "errors" : "entries";
}

function resolve({ file, specifier }: Import): string {
  const target = posix.join(posix.dirname(file), specifier).replace(/\.js$/, "");
  return files.find((candidate) => candidate === `${target}.ts` || candidate === `${target}.tsx`) ?? `${target} (missing)`;
}

function importsOf(file: string, source: ts.SourceFile): Import[] {
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    if (
      (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
      node.moduleSpecifier &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      found.push({ file, specifier: node.moduleSpecifier.text, typeOnly: isTypeOnly(node) });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      found.push({ file, specifier: argument && ts.isStringLiteral(argument) ? argument.text : "(computed)", typeOnly: false });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) {
    if (node.isTypeOnly) return true;
    return (
      node.exportClause !== undefined && ts.isNamedExports(node.exportClause) && node.exportClause.elements.every((it) => it.isTypeOnly)
    );
  }
  const clause = node.importClause;
  if (clause === undefined) return false;
  if (clause.isTypeOnly) return true;
  if (clause.name !== undefined || clause.namedBindings === undefined || !ts.isNamedImports(clause.namedBindings)) return false;
  return clause.namedBindings.elements.every((it) => it.isTypeOnly);
}

/** The page's globals that a file reads, with the line. Types, members, parameters and own names of the same spelling are none. */
function pageGlobals(file: string, source: ts.SourceFile): string[] {
  const own = new Set<string>();
  const declared = (node: ts.Node): void => {
    if ((ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isBindingElement(node)) && ts.isIdentifier(node.name))
      own.add(node.name.text);
    if ((ts.isFunctionDeclaration(node) || ts.isImportSpecifier(node)) && node.name) own.add(node.name.text);
    ts.forEachChild(node, declared);
  };
  declared(source);

  const found: string[] = [];
  const note = (node: ts.Node, what: string) =>
    found.push(`${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1} ${what}`);
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    if (ts.isPropertyAccessExpression(node)) {
      const text = node.getText();
      if (pageOnlyMembers.has(text) || node.expression.getText() === "globalThis") note(node, text);
      visit(node.expression);
      return;
    }
    if (ts.isPropertyAssignment(node)) {
      visit(node.initializer);
      return;
    }
    if (ts.isNewExpression(node) && node.expression.getText() === "Date" && !node.arguments?.length) note(node, "new Date()");
    if (ts.isIdentifier(node) && pageOnly.has(node.text) && !own.has(node.text) && !isName(node)) note(node, node.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Whether the identifier names a member rather than reads a variable. */
function isName(node: ts.Identifier): boolean {
  const { parent } = node;
  return (ts.isMethodDeclaration(parent) || ts.isPropertyDeclaration(parent) || ts.isAccessor(parent)) && parent.name === node;
}

/** The imports that exist at run time and lead back to where they began. */
function cycles(): string[] {
  const graph = new Map<string, string[]>();
  for (const it of imports) {
    if (!it.typeOnly && it.specifier.startsWith(".")) graph.set(it.file, [...(graph.get(it.file) ?? []), resolve(it)]);
  }
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, path: string[]): void => {
    if (path.includes(file)) found.push([...path.slice(path.indexOf(file)), file].join(" → "));
    else if (!done.has(file)) {
      for (const next of graph.get(file) ?? []) walk(next, [...path, file]);
      done.add(file);
    }
  };
  for (const file of files) walk(file, []);
  return found;
}

describe("the house", () => {
  const levelOf = (file: string) => levels.findIndex((row) => row.includes(levelName(file)));

  it("has only folders whose level is known", () => {
    expect(files.filter((file) => levelOf(file) === -1)).toEqual([]);
    expect(files).toContain("index.ts");
  });

  const upward = imports.filter((it) => {
    if (!it.specifier.startsWith(".")) return false;
    const [from, to] = [it.file, resolve(it)];
    return levelName(from) !== levelName(to) && levelOf(to) <= levelOf(from);
  });

  it("imports downwards only, and folders of one level do not import each other", () => {
    const wrong = upward.filter((it) => !it.typeOnly);
    expect(wrong.map((it) => `${it.file} imports ${it.specifier}`)).toEqual([]);
  });

  it("takes no type from above, but the one context, and what is listed", () => {
    const taken = upward.filter((it) => it.typeOnly);
    const wrong = taken.filter((it) => {
      const takers = typesFromAbove[resolve(it)];
      return takers !== null && !takers?.includes(it.file);
    });
    expect(wrong.map((it) => `${it.file} imports a type from ${it.specifier}`)).toEqual([]);
    expect([...new Set(taken.map(resolve))].sort(), "what is listed, and not taken any more").toEqual(Object.keys(typesFromAbove).sort());
  });

  it("keeps what is for tests and for developers out of the main bundle", () => {
    const reached = new Set<string>(["index.ts"]);
    for (const file of reached) for (const it of imports) if (it.file === file && it.specifier.startsWith(".")) reached.add(resolve(it));
    expect([...reached].filter((file) => ["testing", "devtools"].includes(levelName(file)))).toEqual([]);
    expect(reached).toContain("session/session.ts");
  });

  it("imports only files that exist", () => {
    const relatives = imports.filter((it) => it.specifier.startsWith("."));
    expect(relatives.map(resolve).filter((target) => target.endsWith("(missing)"))).toEqual([]);
  });

  it("has no import cycle at run time", () => {
    expect(cycles()).toEqual([]);
  });

  it("keeps ky in its own entry, jwt-decode in token/ and each framework in its own entry, and knows no other package", () => {
    const foreign = imports.filter((it) => !it.specifier.startsWith("."));
    const homes = (specifier: string) => packages[/^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? ""] ?? [];
    const astray = foreign.filter((it) => !homes(it.specifier).some((home) => home === it.file || home === levelName(it.file)));
    expect(astray.map((it) => `${it.file} imports ${it.specifier}`)).toEqual([]);
  });

  it("has developers' tools that take nothing of the core but types", () => {
    const inside = (file: string) => levelName(file) === "devtools" || file === "devtools.ts";
    const taken = imports.filter((it) => inside(it.file) && !it.typeOnly && !inside(resolve(it)));
    expect(taken.map((it) => `${it.file} imports ${it.specifier}`)).toEqual([]);
  });

  it("has bindings of one file each, which take nothing of the core but types", () => {
    const taken = imports.filter((it) => bindings.includes(it.file) && it.specifier.startsWith(".") && !it.typeOnly);
    expect(taken.map((it) => `${it.file} imports ${it.specifier}`)).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(bindings));
  });

  it(`has no file of more than ${LIMITS.linesOfFile} lines`, () => {
    const lengths = files.map((file) => ({ where: file, count: sources.get(file)!.text.split("\n").length - 1, names: [] }));
    expect(tooMany(lengths, LIMITS.linesOfFile), "a file has one subject; move what is of another one out of it").toEqual([]);
  });

  it("has nothing in it that a merge left behind, in comments either", () => {
    const left = files.filter((file) => /^(<{7}|>{7}) /m.test(sources.get(file)!.text));
    expect(left).toEqual([]);
  });

  it("R36 takes clock, chance, network and page from the environment: their globals are read in platform/ only", () => {
    // The developers' tools are of the page itself, and look at it only.
    const outside = files.filter((file) => !["platform", "devtools"].includes(levelName(file)));
    expect(outside.flatMap((file) => pageGlobals(file, sources.get(file)!))).toEqual([]);
  });
});

/** The rules that keep a part of the core small enough to be read, and to be made by a test. Bindings, testing and devtools are pages of their own. */
describe("the parts of the core", () => {
  const core = files.filter((file) => !bindings.includes(file) && !["testing", "devtools"].includes(levelName(file)));
  const shapes = shapesIn(root, core);

  it(`have no closure over more than ${LIMITS.changingCaptures} variables that change`, () => {
    const found = shapes.changingCaptures();
    expect(found.length).toBeGreaterThan(10);
    expect(tooMany(found, LIMITS.changingCaptures), "join variables that change together in one object, or move a part out").toEqual([]);
  });

  it(`have no function of more than ${LIMITS.linesOfFunction} lines`, () => {
    const found = shapes.lengths();
    expect(found.length).toBeGreaterThan(100);
    expect(tooMany(found, LIMITS.linesOfFunction), "move a part of the function out of it").toEqual([]);
  });

  it(`have no function with more than ${LIMITS.positionalParameters} positional parameters`, () => {
    const found = shapes.positionalParameters();
    expect(found.length).toBeGreaterThan(100);
    expect(tooMany(found, LIMITS.positionalParameters), "hand over an object with names").toEqual([]);
  });

  it(`are made of objects of at most ${LIMITS.membersOfParameter} members`, () => {
    const found = shapes.creatorParameters(optionBags);
    expect(found.length).toBeGreaterThan(10);
    expect(tooMany(found, LIMITS.membersOfParameter), "the part knows too much of the others; hand over less").toEqual([]);
  });
});

/** Those that are over the limit, the worst first, in words. */
function tooMany(found: readonly Finding[], most: number): string[] {
  const over = found.filter(({ count }) => count > most).sort((one, other) => other.count - one.count);
  return over.map(({ where, count, names }) => `${where} has ${count}${names.length ? `: ${names.join(", ")}` : ""}`);
}
