import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { root } from "./dist.js";

export interface Sample {
  /** For people: the file and the line of its fence. */
  where: string;
  code: string;
  /** The README's first one, and every one whose fence says `ts runnable`. */
  runnable: boolean;
}

/** Every TypeScript sample of a Markdown file. */
export function samplesOf(file: string): Sample[] {
  const text = readFileSync(join(root, file), "utf8").replaceAll("\r\n", "\n");
  return [...text.matchAll(/^```(tsx?)\b([^\n]*)\n(.*?)^```$/gms)].map((match, index) => ({
    where: `${file}:${text.slice(0, match.index).split("\n").length}`,
    code: match[3]!,
    runnable: (file === "README.md" && index === 0) || /\brunnable\b/.test(match[2]!),
  }));
}

/** What a reader has in mind when a sample does not say it: a login's answer, and a session from the first sample. */
const givens = `
  import type { Session, TokenResponse } from "tokentide";
  declare global { const tokenResponse: TokenResponse; const session: Session; }
`;

/** What tsc says about a sample that imports the published types, strictly. Empty when it is right. */
export function complaints({ code }: Sample): string[] {
  // Beside the modules that samples take for granted: an API's types, a server's router.
  const folder = join(root, "test", "libraries");
  const sample = join(folder, "sample.virtual.tsx");
  const virtual = new Map([
    [sample, /^(import|export)\b/m.test(code) ? code : `${code}\nexport {};`],
    [join(folder, "givens.virtual.ts"), givens],
  ]);
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
    types: code.includes('"node:') ? ["node"] : [],
    jsx: ts.JsxEmit.ReactJSX,
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    paths: { tokentide: [join(root, "dist", "index.d.ts")], "tokentide/*": [join(root, "dist", "*.d.ts")] },
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (file) => virtual.has(file) || fileExists(file);
  host.readFile = (file) => virtual.get(file) ?? readFile(file);
  host.getSourceFile = (file, version, ...rest) => {
    const text = virtual.get(file);
    return text === undefined ? getSourceFile(file, version, ...rest) : ts.createSourceFile(file, text, version);
  };
  const program = ts.createProgram([...virtual.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText, file, start }) => {
    const line = file && start !== undefined ? `line ${ts.getLineAndCharacterOfPosition(file, start).line + 1}: ` : "";
    return `${line}${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
}
