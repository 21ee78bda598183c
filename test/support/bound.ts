import { createHash } from "node:crypto";
import { createSession, dpop } from "../../src/index.js";
import { type Answer, json, type Reply } from "../../src/testing/reply.js";
import { API, TOKEN_ENDPOINT } from "../../src/testing/token-server.js";
import type { WorldTab } from "../../src/testing/world.js";
import type { DpopOptions, DpopProofs, SessionOptions, TokenResponse } from "../../src/types/index.js";
import type { App } from "./app.js";
import { type Scene, type SceneOptions, scene } from "./scene.js";

export interface Proof {
  readonly key: string;
  readonly htm: string;
  readonly htu: string;
  readonly iat: number;
  readonly jti: string;
  readonly ath?: string;
  readonly nonce?: string;
}

/** One request that reached a server, and what the server said to its proof. */
export interface Judged {
  readonly url: string;
  readonly proof: Proof | undefined;
  readonly said: "ok" | "use_dpop_nonce" | "invalid_dpop_proof" | "invalid_token";
}

let keys = 0;

/** WebCrypto whose promises resolve at once, so the virtual clock decides all. A key is a number, and signs with it. */
export const instantCrypto = {
  randomUUID: () => crypto.randomUUID(),
  subtle: {
    async generateKey() {
      const id = `key ${++keys}`;
      const algorithm = { name: "ECDSA", namedCurve: "P-256" };
      return {
        privateKey: { type: "private", extractable: false, algorithm, id },
        publicKey: { type: "public", extractable: true, algorithm, id },
      };
    },
    exportKey: async (_: string, { id }: { id: string }) => ({ kty: "EC", crv: "P-256", x: id, y: id }),
    sign: async (_: unknown, { id }: { id: string }) => new TextEncoder().encode(id).buffer,
    digest: async (_: string, data: Uint8Array) => new Uint8Array(createHash("sha256").update(data).digest()).buffer,
  },
} as unknown as NonNullable<SessionOptions["environment"]>["crypto"];

export const idOf = ({ publicKey }: CryptoKeyPair): string => (publicKey as CryptoKey & { id: string }).id;

function proofOf(header: string | null): Proof | undefined {
  if (!header) return undefined;
  const [head, payload] = header.split(".").map((part, at) => at < 2 && JSON.parse(Buffer.from(part, "base64url").toString()));
  return { ...payload, key: head.jwk.x };
}

export interface BoundOptions extends SceneOptions {
  dpop?: DpopOptions;
  /** The servers ask for their own nonces. */
  nonces?: boolean;
  /** Seconds by which `iat` may differ from the true time. @default no limit */
  window?: number;
}

/** A scene whose servers bind tokens to keys, as RFC 9449 says. */
export function boundScene({ dpop: options, nonces = false, window = Infinity, ...rest }: BoundOptions = {}) {
  const judged: Judged[] = [];
  const bindings = new Map<string, string>();
  /** What the servers do, as a test sets it. */
  const servers = {
    nonce: { [new URL(TOKEN_ENDPOINT).origin]: nonces ? "auth-1" : "", [API]: nonces ? "api-1" : "" } as Record<string, string>,
    type: "DPoP",
    /** Headers of the API's answers that script cannot read. */
    hides: [] as string[],
    window,
    /** Milliseconds until the token endpoint looks at a request. */
    delay: 0,
    /** In place of an answer to a request whose proof is good. */
    instead: undefined as ((url: string) => Reply | undefined) | undefined,
  };
  const stage: Scene = scene({ ...rest, world: { server: handle, ...rest.world } });

  async function handle(request: Request): Promise<Reply> {
    const { origin, pathname } = new URL(request.url);
    if (!pathname.startsWith("/token") && origin !== API) return stage.server.handle(request);
    const proof = proofOf(request.headers.get("dpop"));
    const atToken = request.url === TOKEN_ENDPOINT;
    const form = new URLSearchParams(atToken ? await request.clone().text() : "");
    if (atToken && servers.delay) await stage.clock.pause(servers.delay);
    const [, scheme, access] = /^(\S+) (.*)$/.exec(request.headers.get("authorization") ?? "") ?? [];
    const presented = (atToken ? form.get("refresh_token") : access) ?? "";
    const said = verdictOn({ proof, presented, nonce: servers.nonce[origin], scheme: atToken ? "DPoP" : scheme, access });
    judged.push({ url: request.url, proof, said });
    if (said !== "ok") return refusal(said, origin, atToken);
    const own = servers.instead?.(request.url);
    if (own) return own;
    const headers = new Headers(request.headers);
    if (access) headers.set("authorization", `Bearer ${access}`);
    const reply = await stage.server.handle(new Request(request, { headers }));
    return atToken ? issued(reply, proof?.key ?? "") : withNonce(reply, origin);
  }

  type Presented = {
    proof: Proof | undefined;
    presented: string;
    nonce: string | undefined;
    scheme: string | undefined;
    access?: string | undefined;
  };
  function verdictOn({ proof, presented, nonce, scheme, access }: Presented): Judged["said"] {
    const bound = bindings.get(presented);
    if (scheme === "Bearer" && !bound) return "ok";
    if (!proof || (scheme === "DPoP" && bound && bound !== proof.key) || (bound && scheme !== "DPoP")) return "invalid_token";
    if (nonce && proof.nonce !== nonce) return "use_dpop_nonce";
    if (Math.abs(proof.iat * 1000 - stage.clock.worldNow()) > servers.window * 1000) return "invalid_dpop_proof";
    if (access && proof.ath !== createHash("sha256").update(access).digest("base64url")) return "invalid_dpop_proof";
    return "ok";
  }

  function refusal(said: string, origin: string, atToken: boolean): Answer {
    const nonce = servers.nonce[origin];
    const all: Record<string, string> = {
      ...(nonce && { "dpop-nonce": nonce }),
      ...(!atToken && { "www-authenticate": `DPoP error="${said}"` }),
    };
    const headers = Object.fromEntries(Object.entries(all).filter(([name]) => !servers.hides.includes(name)));
    return json(atToken ? 400 : 401, { error: said }, headers);
  }

  function withNonce(reply: Reply, origin: string): Reply {
    const nonce = servers.nonce[origin];
    return typeof reply === "string" || !nonce ? reply : { ...reply, headers: { ...reply.headers, "dpop-nonce": nonce } };
  }

  function issued(reply: Reply, key: string): Reply {
    if (typeof reply === "string" || reply.status !== 200) return withNonce(reply, new URL(TOKEN_ENDPOINT).origin);
    const tokens = JSON.parse(`${reply.body}`) as TokenResponse;
    return withNonce(json(200, bind(tokens, key), reply.headers), new URL(TOKEN_ENDPOINT).origin);
  }

  function bind(tokens: TokenResponse, key: string): TokenResponse {
    if (tokens.refresh_token) bindings.set(tokens.refresh_token, key);
    if (servers.type === "DPoP") bindings.set(tokens.access_token, key);
    return { ...tokens, token_type: servers.type };
  }

  /** A tab with a session. `proofs`: what its app has of `dpop`. */
  async function open(more: Partial<SessionOptions> = {}, tab: WorldTab = stage.world.tab()) {
    const proofs: DpopProofs = dpop(options);
    const environment = Object.create(tab.environment, { crypto: { value: instantCrypto, enumerable: true } });
    const app: App = await stage.open({ dpop: proofs, environment, ...more }, { tab });
    return Object.assign(app, { proofs });
  }

  /** Logs a user in with the key of `keyPair()`. */
  async function signIn(app: Awaited<ReturnType<typeof open>>, subject = "ada"): Promise<string> {
    const key = idOf(await stage.clock.until(app.proofs.keyPair()));
    await stage.clock.until(app.session.signIn(bind(stage.server.signIn(subject), key)));
    await stage.clock.advance(50);
    return key;
  }

  const said = (path: string) => judged.filter(({ url }) => url.includes(path)).map(({ said }) => said);
  return { stage, servers, judged, bind, open, signIn, said, createSession };
}
