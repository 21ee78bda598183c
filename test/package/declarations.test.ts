import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { root } from "./dist.js";

/**
 * Every name that a published declaration file declares, exported or not. An internal name in it has leaked through a public signature: make
 * the signature's type opaque, or narrower, rather than add the name here.
 */
const names: Record<string, string> = {
  // What several entries use is in a file whose name ends in a hash.
  shared: `Audiences Channel Claims ClassifyInput CookieSignIn DebugEvent Dpop Environment FurtherOptions GetTokenOptions IdleLimit LoginAnswer MaxAge MemoryMode NamedOptions
    PageSignal RefreshCause RefreshContext RefreshFunction RefreshStrategy RenewalHeader Session SessionError SessionErrorCode
    SessionErrorDetails SessionEvents SessionOptions SignedOutReason Snapshot Store MadeStrategyOptions TokenResponse TokenSet TokenTiming Tokens
    Verdict isSessionError made`,
  index: `AnswerVerdict AudienceOptions AutorefreshSettings ByCodeOptions CookieOptions DpopOptions DpopProofs ExchangeOptions IdleLimitOptions Issuer MemoryOptions OAuth2Client
    AuthorizationCode OAuth2Options ProofRequest ReadAnswer RefreshAnswer SlidingOptions TokenEndpoint TokenPairOptions Vault VaultOptions audiences
    autorefresh browserEnvironment byCode cookie cookieSignIn createSession dpop idleLimit maxAge memory oauth2 renewalHeader sliding tokenPair vault`,
  angular: "AnySession SESSION SKIP_SESSION injectSession provideSession sessionInterceptor",
  axios: "AttachOptions AxiosRequestConfig attachSession axios throughSession",
  devtools: "DevtoolsOptions mountDevtools traceToPerformancePanel",
  ky: "createKy",
  react: `AnySession SessionGuard SessionGuardProps SessionProvider SessionProviderProps useClaims useReady useSession useSessionEvent
    useSessionInstance`,
  solid: "fromSession",
  svelte: "SessionState fromSession",
  testing: `Answer ApiCall Chance Clock ClockOptions Delays Fault GrantOptions Lacks MswHttp Reply Resolver Server ServerClock TestSession
    TestSessionOptions TestTab TokenCall TokenServer TokenServerOptions VaultWorkerOptions World WorldOptions WorldTab createTestSession faults fixed json makeJwt
    mswHandlers seeded`,
  // It is one file, so it repeats the options of `oauth2`.
  "vault-worker": "AnswerVerdict Issuer KeeperOptions OAuth2Client OAuth2Options ReadAnswer RefreshAnswer TokenEndpoint keepTokens",
  vue: "AnySession SessionRefs sessionKey sessionPlugin useSession useSessionEvent useSessionInstance",
};

/** The size of the declarations without their comments, which may be as long as they need to be. 1 kB is 1000 bytes. */
const kilobytes: Record<string, number> = { index: 15.3, testing: 7.6 };
const otherwise = 1.5;

const dist = join(root, "dist");
const files = readdirSync(dist)
  .filter((file) => file.endsWith(".d.ts"))
  .map((file) => ({
    entry: file.slice(0, -5) in names ? file.slice(0, -5) : "shared",
    source: ts.createSourceFile(file, readFileSync(join(dist, file), "utf8"), ts.ScriptTarget.ES2022),
  }));

function declared(source: ts.SourceFile): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isVariableStatement(node)) for (const { name } of node.declarationList.declarations) found.push(name.getText(source));
    else if (isNamed(node) && node.name) found.push(node.name.text);
    if (ts.isModuleDeclaration(node) || ts.isModuleBlock(node)) ts.forEachChild(node, visit);
  };
  ts.forEachChild(source, visit);
  return found;
}

const isNamed = (node: ts.Node) =>
  ts.isInterfaceDeclaration(node) ||
  ts.isTypeAliasDeclaration(node) ||
  ts.isClassDeclaration(node) ||
  ts.isFunctionDeclaration(node) ||
  ts.isEnumDeclaration(node) ||
  ts.isModuleDeclaration(node);

const bytes = (source: ts.SourceFile): number => Buffer.byteLength(ts.createPrinter({ removeComments: true }).printFile(source));

describe("R40 the published types", () => {
  it.each(Object.keys(names))("%s.d.ts declares public names only", (entry) => {
    const sources = files.filter((file) => file.entry === entry).map(({ source }) => source);
    const found = new Set(sources.flatMap(declared));
    expect([...found].sort()).toEqual(names[entry]!.split(/\s+/).sort());
  });

  it("index.d.ts and its shared files stay small", () => {
    const size = files.filter(({ entry }) => entry === "index" || entry === "shared").reduce((sum, { source }) => sum + bytes(source), 0);
    expect(size / 1000).toBeLessThan(kilobytes.index!);
  });

  it.each(Object.keys(names).filter((entry) => entry !== "index" && entry !== "shared"))("%s.d.ts adds little to it", (entry) => {
    const size = files.filter((file) => file.entry === entry).reduce((sum, { source }) => sum + bytes(source), 0);
    expect(size / 1000).toBeLessThan(kilobytes[entry] ?? otherwise);
    expect(size).toBeGreaterThan(0);
  });
});
