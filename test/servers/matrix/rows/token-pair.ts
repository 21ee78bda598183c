import { type TokenPairOptions, tokenPair } from "../../../../src/index.js";
import type { TokenSet } from "../../../../src/types/index.js";
import { createDevice } from "../../device.js";
import { openGate } from "../../gate.js";
import { type Setting, theft } from "../row.js";

/** A server that runs, with an API that takes its tokens. It is not closed with the setting. */
export interface PairServer {
  readonly url: string;
  readonly apiPath: string;
  signIn(): Promise<TokenSet>;
  /** By whoever has it. Resolves with the next refresh token, or null when refused. */
  renew(refreshToken: string): Promise<string | null>;
  revoke(): unknown;
  restart(): Promise<void>;
}

/** A client of it that renews by `tokenPair` at a path there. */
export async function pairOf(server: PairServer, path: string, options: Omit<TokenPairOptions, "url">): Promise<Setting> {
  const gate = await openGate(
    () => server.url,
    (asked) => asked === path,
  );
  const device = createDevice(gate.url, Date.now());
  return {
    device,
    gate,
    api: gate.url + server.apiPath,
    options: { refresh: tokenPair({ url: gate.url + path, ...options }) },
    signIn: async () => [await server.signIn()],
    revoke: async () => server.revoke(),
    restart: () => server.restart(),
    steal: () => theft(server.renew, device.stored().refreshToken ?? ""),
    close: gate.close,
  };
}

/** One process for all cases of a server, started for the first of them. */
export function shared<Server extends { close(): Promise<void> }>(start: () => Promise<Server>) {
  let running: Promise<Server> | undefined;
  return {
    get: () => (running ??= start()),
    async finish() {
      const server = await running;
      running = undefined;
      await server?.close();
    },
  };
}
