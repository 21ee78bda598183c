import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { root } from "./dist.js";

export interface Sample {
  /** For people: the file and the line of its fence. */
  where: string;
  /** What it stands under, and which one it is there: `A recipe`, `A recipe (2)`. */
  heading: string;
  code: string;
  /** Its fence says `ts runnable`: it throws when it is wrong. */
  runnable: boolean;
}

/** Every TypeScript sample of a Markdown file. */
export function samplesOf(file: string): Sample[] {
  const text = readFileSync(join(root, file), "utf8").replaceAll("\r\n", "\n");
  const seen = new Map<string, number>();
  function headingAt(index: number): string {
    const heading = [...text.slice(0, index).matchAll(/^#+ (.*)$/gm)].at(-1)?.[1] ?? "";
    const count = (seen.get(heading) ?? 0) + 1;
    seen.set(heading, count);
    return count > 1 ? `${heading} (${count})` : heading;
  }
  return [...text.matchAll(/^```tsx?\b([^\n]*)\n(.*?)^```$/gms)].map((match) => ({
    where: `${file}:${text.slice(0, match.index).split("\n").length}`,
    heading: headingAt(match.index),
    code: match[2]!,
    runnable: /\brunnable\b/.test(match[1]!),
  }));
}

/** What a reader has in mind when a sample does not say it: a login's answer, and a session from the first sample. */
const givens = `
  import type { Session, TokenResponse } from "tokentide";
  declare global { const tokenResponse: TokenResponse; const session: Session; }
`;

/** What tsc says about samples that import the published types, strictly; nothing about one that is right. */
export function complaints(samples: readonly Sample[]): Map<Sample, string[]> {
  // What Node has is not in a page.
  const inNode = ({ code }: Sample) => code.includes('"node:');
  return new Map([
    ...check(samples.filter(inNode), ["node"]),
    ...check(
      samples.filter((sample) => !inNode(sample)),
      [],
    ),
  ]);
}

function check(samples: readonly Sample[], types: string[]): Map<Sample, string[]> {
  // Beside the modules that samples take for granted: an API's types, a server's router.
  const folder = join(root, "test", "libraries");
  const files = new Map(samples.map((sample, index) => [join(folder, `sample-${index}.virtual.tsx`), sample]));
  const virtual = new Map([[join(folder, "givens.virtual.ts"), givens]]);
  for (const [file, { code }] of files) virtual.set(file, /^(import|export)\b/m.test(code) ? code : `${code}\nexport {};`);
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
    types,
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
  const said = new Map(samples.map((sample) => [sample, [] as string[]]));
  for (const { messageText, file, start } of ts.getPreEmitDiagnostics(program)) {
    const line = file && start !== undefined ? `line ${ts.getLineAndCharacterOfPosition(file, start).line + 1}: ` : "";
    const sample = file && files.get(file.fileName);
    if (!sample) throw new Error(ts.flattenDiagnosticMessageText(messageText, "\n"));
    said.get(sample)?.push(`${line}${ts.flattenDiagnosticMessageText(messageText, "\n")}`);
  }
  return said;
}
