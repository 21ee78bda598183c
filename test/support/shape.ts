import { join } from "node:path";
import ts from "typescript";

/** A function that breaks a rule, and by how much. */
export interface Finding {
  readonly where: string;
  readonly count: number;
  readonly names: readonly string[];
}

/** What the sizes and shapes of the functions in some files are. `root`: the folder of `tsconfig.json`; the files are below `src` in it. */
export function shapesIn(root: string, files: readonly string[]) {
  const config = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  const program = ts.createProgram(
    files.map((file) => join(root, "src", file)),
    { ...options, types: [] },
  );
  const checker = program.getTypeChecker();
  const sources = files.map((file) => program.getSourceFile(join(root, "src", file))!);

  const place = (node: ts.Node): string => {
    const source = node.getSourceFile();
    const { line } = source.getLineAndCharacterOfPosition(node.getStart());
    return `${source.fileName.slice(source.fileName.lastIndexOf("/src/") + 1)}:${line + 1} ${nameOf(node)}`;
  };

  const functions = (): ts.FunctionLikeDeclaration[] => {
    const found: ts.FunctionLikeDeclaration[] = [];
    for (const source of sources) {
      walk(source, (node) => {
        if (isFunction(node)) found.push(node);
      });
    }
    return found;
  };

  /** The variables of each function that change, and that functions nested in it use. A module counts as a function. */
  function changingCaptures(): Finding[] {
    const assigned = new Set<ts.Symbol>();
    const users = new Map<ts.Symbol, Set<ts.Node>>();
    for (const source of sources) {
      walk(source, (node) => {
        if (!ts.isIdentifier(node)) return;
        const symbol = ts.isShorthandPropertyAssignment(node.parent)
          ? checker.getShorthandAssignmentValueSymbol(node.parent)
          : checker.getSymbolAtLocation(node);
        if (!symbol) return;
        users.set(symbol, (users.get(symbol) ?? new Set()).add(functionAround(node)));
        if (isAssigned(node)) assigned.add(symbol);
      });
    }
    const captured = new Map<ts.Node, string[]>();
    for (const [symbol, inside] of users) {
      const declaration = symbol.valueDeclaration;
      if (!declaration || !sources.includes(declaration.getSourceFile()) || !changes(declaration, assigned.has(symbol))) continue;
      const home = functionAround(declaration);
      if ([...inside].some((user) => user !== home)) captured.set(home, [...(captured.get(home) ?? []), symbol.name]);
    }
    return [...captured].map(([home, names]) => ({ where: place(home), count: names.length, names }));
  }

  /** From the first line of each function to its last. */
  function lengths(): Finding[] {
    return functions().map((node) => {
      const source = node.getSourceFile();
      const [first, last] = [node.getStart(), node.getEnd()].map((at) => source.getLineAndCharacterOfPosition(at).line) as [number, number];
      return { where: place(node), count: last - first + 1, names: [] };
    });
  }

  function positionalParameters(): Finding[] {
    return functions().map((node) => {
      const names = node.parameters.map(({ name }) => name.getText()).filter((name) => name !== "this");
      return { where: place(node), count: names.length, names };
    });
  }

  /** The members of each object that a `create…` function is handed. `exempt`: the names of types that are bags of options. */
  function creatorParameters(exempt: ReadonlySet<string>): Finding[] {
    return functions()
      .filter((node) => /^create[A-Z]/.test(nameOf(node)))
      .flatMap((node) =>
        node.parameters.flatMap((parameter) => {
          const type = checker.getNonNullableType(checker.getTypeAtLocation(parameter));
          const called = type.aliasSymbol?.name ?? type.symbol?.name ?? "";
          if (!(type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) || exempt.has(called) || isOfLibrary(type)) return [];
          const names = checker.getPropertiesOfType(type).map(({ name }) => name);
          return [{ where: `${place(node)}: ${parameter.name.getText().replace(/\s+/g, " ")}`, count: names.length, names }];
        }),
      );
  }

  return { changingCaptures, lengths, positionalParameters, creatorParameters };
}

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

/** With a body. The signatures of types are none. */
function isFunction(node: ts.Node): node is ts.FunctionLikeDeclaration {
  return (
    (ts.isFunctionDeclaration(node) ||
      ts.isFunctionExpression(node) ||
      ts.isArrowFunction(node) ||
      ts.isMethodDeclaration(node) ||
      ts.isConstructorDeclaration(node) ||
      ts.isAccessor(node)) &&
    node.body !== undefined
  );
}

/** The function, or the module, that a node is in. The name of a function, and its parameters, are in the function itself. */
function functionAround(node: ts.Node): ts.Node {
  let around = node.parent;
  while (!isFunction(around) && !ts.isSourceFile(around)) around = around.parent;
  return around;
}

function nameOf(node: ts.Node): string {
  if (ts.isSourceFile(node)) return "(module)";
  if (ts.isConstructorDeclaration(node)) return "constructor";
  const own = (node as ts.FunctionLikeDeclaration).name;
  if (own) return own.getText();
  const { parent } = node;
  const isNamed = ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent);
  return isNamed ? parent.name.getText() : "(anonymous)";
}

/** A `let` or `var`, or a parameter that is assigned to. */
function changes(declaration: ts.Declaration, isAssignedTo: boolean): boolean {
  let node: ts.Node = declaration;
  while (ts.isBindingElement(node) || ts.isObjectBindingPattern(node) || ts.isArrayBindingPattern(node)) node = node.parent;
  if (ts.isParameter(node)) return isAssignedTo;
  return ts.isVariableDeclaration(node) && ts.isVariableDeclarationList(node.parent) && !(node.parent.flags & ts.NodeFlags.Const);
}

/** Whether the variable gets a value here, by `=`, `+=`, `++`, or as a part of a pattern. */
function isAssigned(node: ts.Identifier): boolean {
  let target: ts.Node = node;
  for (;;) {
    const { parent } = target;
    if (ts.isPrefixUnaryExpression(parent) || ts.isPostfixUnaryExpression(parent))
      return parent.operator === ts.SyntaxKind.PlusPlusToken || parent.operator === ts.SyntaxKind.MinusMinusToken;
    if (ts.isBinaryExpression(parent))
      return (
        parent.left === target &&
        parent.operatorToken.kind >= ts.SyntaxKind.FirstAssignment &&
        parent.operatorToken.kind <= ts.SyntaxKind.LastAssignment
      );
    if (ts.isPropertyAssignment(parent) ? parent.initializer !== target : !isPatternPart(parent)) return false;
    target = parent;
  }
}

const isPatternPart = (node: ts.Node): boolean =>
  ts.isShorthandPropertyAssignment(node) ||
  ts.isObjectLiteralExpression(node) ||
  ts.isArrayLiteralExpression(node) ||
  ts.isSpreadElement(node) ||
  ts.isSpreadAssignment(node) ||
  ts.isParenthesizedExpression(node);

/** `Map`, `Promise`, an array. A `Pick` of a type of ours is declared there as well, and is none of those. */
function isOfLibrary(type: ts.Type): boolean {
  const { objectFlags } = type as ts.ObjectType;
  const isNamed = objectFlags & (ts.ObjectFlags.ClassOrInterface | ts.ObjectFlags.Reference);
  return !!isNamed && !!type.symbol?.declarations?.every((it) => !/\/src\/[^/]+(\/.*)?\.ts$/.test(it.getSourceFile().fileName));
}
