import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { HttpResponse, http } from "msw";
import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { root, temporaryFolder } from "./dist.js";
import { complaints, type Sample, samplesOf } from "./samples.js";

const samples = ["README.md", "docs/frameworks.md", "docs/libraries.md", "docs/testing.md"].flatMap(samplesOf);
const runnable = samples.filter((sample) => sample.runnable);

const bearers: (string | null)[] = [];
const server = setupServer(
  http.all("https://api.example.com/*", ({ request }) => {
    bearers.push(request.headers.get("authorization"));
    return HttpResponse.json({ name: "Ada" });
  }),
  http.post("https://auth.example.com/token", () =>
    HttpResponse.json({ access_token: "second", refresh_token: "r2", token_type: "Bearer", expires_in: 300 }),
  ),
);

/** Runs the sample as an app would, bundled from dist/, with what it takes for granted. */
async function execute({ code }: Sample): Promise<Record<string, unknown>> {
  const { outputFiles } = await build({
    stdin: { contents: code, loader: "ts", resolveDir: root },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    write: false,
    logLevel: "silent",
  });
  const file = join(temporaryFolder(), "sample.mjs");
  writeFileSync(file, outputFiles[0]!.text);
  return import(/* @vite-ignore */ pathToFileURL(file).href);
}

describe("the samples of README.md and docs/", () => {
  beforeAll(() => server.listen({ onUnhandledRequest: "error" }));
  afterEach(() => {
    bearers.length = 0;
    vi.unstubAllGlobals();
  });
  afterAll(() => server.close());

  it("opens with a sample", () => {
    expect(runnable[0]?.code).toContain('from "tokentide"');
  });

  it.each(samples.map((sample) => [sample.where, sample] as const))(
    "the sample at %s compiles against the published types",
    (_, sample) => {
      expect(complaints(sample)).toEqual([]);
    },
  );

  it.each(runnable.map((sample) => [sample.where, sample] as const))("the sample at %s runs", async (_, sample) => {
    vi.stubGlobal("tokenResponse", { access_token: "first", refresh_token: "r1", token_type: "Bearer", expires_in: 300 });
    vi.stubGlobal("location", { assign: vi.fn() });
    const exported = await execute(sample);
    const { session } = exported as { session?: { dispose(): void } };
    session?.dispose();
    expect(bearers.filter((bearer) => bearer !== "Bearer first" && bearer !== "Bearer second")).toEqual([]);
    if (sample === runnable[0]) expect(bearers).toEqual(["Bearer first"]);
  });

  it("a wrong sample is complained about, so silence means something", () => {
    const wrong = {
      where: "",
      runnable: false,
      code: 'import { createSession } from "tokentide";\ncreateSession({ refesh: () => "token" });',
    };
    expect(complaints(wrong).join()).toMatch(/line 2: .*refesh/);
  });
});
