import { afterEach, expect, it, vi } from "vitest";
import { createSession, memory, oauth2 } from "../../src/index.js";

afterEach(() => vi.unstubAllGlobals());

/** What docs/trust.md says of memory mode. Here the session has the globals of the page. */
it("a script that replaces `fetch` sees each bearer in memory mode, and the refresh token at the next renewal", async () => {
  const session = createSession({
    refresh: oauth2({ tokenEndpoint: "https://auth.test/token", clientId: "spa" }),
    allowedOrigins: ["https://api.test"],
    persist: memory(),
  });
  await session.signIn({ access_token: "access-1", refresh_token: "refresh-1", token_type: "Bearer", expires_in: 300 });
  const seen: (string | null)[] = [];
  vi.stubGlobal("fetch", async (input: RequestInfo | URL, init?: RequestInit) => {
    const request = new Request(input, init);
    seen.push(request.headers.get("authorization") ?? new URLSearchParams(await request.text()).get("refresh_token"));
    return Response.json({ access_token: "access-2", token_type: "Bearer", expires_in: 300 });
  });
  await session.fetch("https://api.test/me");
  await session.refresh();
  expect(seen).toEqual(["Bearer access-1", "refresh-1"]);
  session.dispose();
});
