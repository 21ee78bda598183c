import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Session } from "../../src/index.js";
import { createKeeper } from "../../src/vault/keeper.js";
import { withPreflights } from "./cors.js";
import { createDevice, type Device } from "./device.js";
import { APP, AUTH, type DpopServers, startDpopServers } from "./dpop-provider.js";
import { bundledSample } from "./sample.js";

/** What the sample in docs/vault.md exports. */
interface Page {
  readonly session: Session;
  logIn(): Promise<void>;
  finishLogin(): Promise<void>;
}

/** A shared worker on the device's network. `posted`: all messages, and all answers. */
function workerOn({ environment }: Device, posted: string[]) {
  const keeper = createKeeper({ issuer: AUTH, clientId: "spa" }, { ...environment, randomId: () => crypto.randomUUID() });
  return (): SharedWorker => {
    const port = new EventTarget();
    const postMessage = async (message: { id: number }) => {
      posted.push(JSON.stringify(message));
      const answer = await keeper.answer(structuredClone(message));
      posted.push(JSON.stringify(answer));
      port.dispatchEvent(new MessageEvent("message", { data: { id: message.id, answer } }));
    };
    return Object.assign(new EventTarget(), {
      port: Object.assign(port, { postMessage, start() {}, close() {} }),
    }) as unknown as SharedWorker;
  };
}

/** Logs in as the sample does: it leaves the page, and comes back to another one. */
async function logIn(rotate: boolean) {
  const code = await bundledSample("docs/vault.md");
  const folder = mkdtempSync(join(tmpdir(), "tokentide-vault-"));
  const now = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now });
  const servers: DpopServers = await startDpopServers({ format: "opaque", rotate, bound: false });
  const device: Device = createDevice(APP, now, (input, init) => {
    vi.setSystemTime(device.clock.now());
    return withPreflights(servers.network, APP)(input, init);
  });
  const { environment, clock } = device;
  const posted: string[] = [];
  const worker = workerOn(device, posted);
  const storage = new Map<string, string>();
  const addresses: string[] = [];

  async function open(href: string, index: number): Promise<Page & { left(): string }> {
    let left = "";
    const setLeft = (address: string) => {
      left = address;
    };
    const file = join(folder, `page-${index}.mjs`);
    writeFileSync(file, code);
    vi.stubGlobal("page", {
      ...{ environment, fetch: environment.fetch },
      crypto: { ...environment.crypto, getRandomValues: (array: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(array) },
      location: { href, assign: (url: URL) => setLeft(url.href) },
      sessionStorage: { getItem: (key: string) => storage.get(key), setItem: (key: string, value: string) => storage.set(key, value) },
      workerAt: (address: string) => addresses.push(address) && worker(),
    });
    const page = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as Page;
    vi.unstubAllGlobals();
    onTestFinished(() => page.session.dispose());
    return { ...page, left: () => left };
  }

  onTestFinished(async () => {
    await clock.advance(1000);
    await servers.close();
    vi.useRealTimers();
    rmSync(folder, { recursive: true, force: true });
  });
  const before = await open(APP, 1);
  await clock.until(before.logIn());
  const page = await open(await servers.logIn(before.left(), "ada"), 2);
  await clock.until(page.finishLogin());
  return { page, clock, device, servers, posted, addresses };
}

const renewals = (seen: ReturnType<DpopServers["seen"]>) => seen.filter(({ form }) => form.grant_type === "refresh_token");

describe.each([
  ["rotation", true],
  ["no rotation", false],
] as const)("oidc-provider and a vault, %s", (_, rotate) => {
  it("takes the code, the calls, the renewals and the sign-out of the sample in the docs, and no refresh token comes into the page", async () => {
    const { page, clock, device, servers, posted, addresses } = await logIn(rotate);
    const tokens = new Set<string>();
    for (let round = 0; round < 3; round++) {
      await clock.advance(2000);
      expect(await clock.until(page.session.refresh())).toBe("refreshed");
      expect((await clock.until(page.session.fetch(`${AUTH}/me`))).status).toBe(200);
    }
    const seen = servers.seen();
    for (const { form } of renewals(seen)) tokens.add(form.refresh_token!);
    expect([renewals(seen).length, tokens.size]).toEqual(rotate ? [3, 3] : [3, 1]);
    expect(seen.filter(({ form }) => form.grant_type === "authorization_code").map(({ status }) => status)).toEqual([200]);
    expect(device.stored().refreshToken).toMatch(/^tokentide-handle:/);
    await clock.until(page.session.signOut());
    await clock.advance(1000);
    const [revocation] = servers.seen();
    expect(revocation).toMatchObject({ path: "/token/revocation", status: 200 });
    tokens.add(revocation!.form.token!);
    for (const token of tokens) expect(posted.join()).not.toContain(token);
    expect(new Set(addresses)).toEqual(new Set(["/vault-worker.js"]));
    const stolen = {
      method: "POST",
      body: new URLSearchParams({ grant_type: "refresh_token", client_id: "spa", refresh_token: revocation!.form.token! }),
    };
    expect(await (await servers.network(`${AUTH}/token`, stolen)).json(), "the revoked token").toMatchObject({ error: "invalid_grant" });
  });

  it("renews for a day by itself, each refresh token once", async () => {
    const { page, clock, servers } = await logIn(rotate);
    await clock.advance(86_400_000);
    const presented = renewals(servers.seen()).map(({ form, status }) => [form.refresh_token, status] as const);
    expect(presented.length).toBeGreaterThan(20);
    expect(new Set(presented.map(([, status]) => status))).toEqual(new Set([200]));
    expect(new Set(presented.map(([token]) => token)).size).toBe(rotate ? presented.length : 1);
    expect(page.session.getSnapshot().status).toBe("signed-in");
  });
});
