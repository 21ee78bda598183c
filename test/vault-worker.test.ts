import { expect, it, onTestFinished, vi } from "vitest";
import { keepTokens } from "../src/vault-worker.js";

it("`keepTokens` with wrong options throws, and the worker tells each page instead of being silent", async () => {
  const posted: unknown[] = [];
  vi.stubGlobal("postMessage", (message: unknown) => posted.push(message));
  onTestFinished(() => {
    vi.unstubAllGlobals();
    Reflect.deleteProperty(globalThis, "onmessage");
  });
  expect(() => keepTokens({ tokenEndpoint: "auth/token", clientId: "spa" })).toThrow(TypeError);
  (globalThis as unknown as { onmessage(event: unknown): void }).onmessage({ data: { id: 7, kind: "holds" } });
  await vi.waitFor(() =>
    expect(posted).toEqual([{ id: 7, answer: { failed: { code: "configuration", message: expect.stringContaining("tokenEndpoint") } } }]),
  );
});
