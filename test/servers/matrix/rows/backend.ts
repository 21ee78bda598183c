import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBackend, type WayName } from "../../../../demo/server/backend/index.js";
import { byCode, cookie, sliding, tokenPair } from "../../../../src/index.js";
import type { RefreshStrategy, SessionOptions, TokenSet, Tokens } from "../../../../src/types.js";
import { createDevice, type Device } from "../device.js";
import { openGate } from "../gate.js";
import type { Row, Setting } from "../row.js";

interface Client {
  /** Everything but the origins. */
  readonly options: (url: string, device: Device) => { refresh: RefreshStrategy } & Partial<SessionOptions>;
  /** What a sign-in's answer means for `session.signIn`. */
  readonly tokens: (answer: Record<string, string & number>) => Tokens | undefined;
  /** What a thief sends who has read the page's storage, or its cookies. */
  readonly renewal: (stored: TokenSet) => { body?: unknown; bearer?: string | undefined };
  /** What he sends the next time. */
  readonly next: (answer: Record<string, string>) => TokenSet;
}

const csrf = (device: Device, url: string) => async () => (await device.jar.getCookies(`${url}/`)).find(({ key }) => key === "csrf")?.value;

const clients: Record<WayName, Client> = {
  pair: {
    options: (url) => ({ refresh: tokenPair({ url, accessTokenField: "token" }) }),
    tokens: ({ token, refreshToken }) => ({ accessToken: token!, refreshToken }),
    renewal: ({ accessToken, refreshToken }) => ({ body: { token: accessToken, refreshToken } }),
    next: ({ token, refreshToken }) => ({ accessToken: token!, refreshToken }),
  },
  "two-jwt": {
    options: (url) => ({ refresh: tokenPair({ url, accessTokenField: "access", refreshTokenField: "refresh" }) }),
    tokens: ({ access, refresh }) => ({ accessToken: access!, refreshToken: refresh }),
    renewal: ({ refreshToken }) => ({ body: { refresh: refreshToken } }),
    next: ({ access, refresh }) => ({ accessToken: access!, refreshToken: refresh }),
  },
  cookie: {
    options: (url, device) => ({ refresh: cookie({ url, csrf: { header: "X-CSRF-Token", value: csrf(device, url) } }) }),
    // As after a login by redirect, which leaves the cookie and nothing else.
    tokens: () => undefined,
    renewal: () => ({}),
    next: ({ accessToken }) => ({ accessToken: accessToken! }),
  },
  sliding: {
    options: (url) => ({ refresh: sliding({ url, accessTokenField: "token" }) }),
    tokens: ({ token }) => token,
    renewal: ({ accessToken }) => ({ bearer: accessToken }),
    next: ({ token }) => ({ accessToken: token! }),
  },
  softexp: {
    options: (url) => ({
      refresh: tokenPair({ url, accessTokenField: "token" }),
      expiryClaim: "softexp",
      classify: byCode({ refresh: ["EXPIRED_TOKEN"], signOut: ["INVALID_TOKEN"] }),
    }),
    tokens: ({ token, refreshToken }) => ({ accessToken: token!, refreshToken }),
    renewal: ({ accessToken, refreshToken }) => ({ body: { token: accessToken, refreshToken } }),
    next: ({ token, refreshToken }) => ({ accessToken: token!, refreshToken }),
  },
  "access-cookie": {
    options: (url) => ({ refresh: tokenPair({ url, accessTokenField: null, credentials: "include" }) }),
    tokens: ({ refreshToken, expiresIn }) => ({ refreshToken, expiresIn }) as unknown as Tokens,
    renewal: ({ refreshToken }) => ({ body: { refreshToken } }),
    next: ({ refreshToken }) => ({ refreshToken }) as TokenSet,
  },
};

async function start(way: WayName, lifetime: number): Promise<Setting> {
  const client = clients[way];
  const file = join(tmpdir(), `tokentide-${randomUUID()}.db`);
  let now: () => number = Date.now;
  const open = (port?: number) =>
    startBackend({ file, now: () => now(), lifetimes: { accessTokenSeconds: lifetime }, ...(port === undefined ? {} : { port }) });
  let server = await open();
  const path = `/${way}/refresh`;
  const gate = await openGate(
    () => server.url,
    (asked) => asked === path,
  );
  const device = createDevice(gate.url);
  // True time: what the clock of the device shows, unless somebody sets that.
  now = () => device.clock.worldNow();

  async function renew(stored: TokenSet, cookies: string): Promise<{ stored: TokenSet; cookies: string } | null> {
    const { body, bearer } = client.renewal(stored);
    const response = await fetch(server.url + path, {
      method: "POST",
      headers: {
        cookie: cookies,
        "x-csrf-token": /csrf=([^;]*)/.exec(cookies)?.[1] ?? "",
        ...(bearer && { authorization: `Bearer ${bearer}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) return null;
    const set = response.headers.getSetCookie().map((line) => line.split(";")[0]);
    return { stored: client.next((await response.json()) as Record<string, string>), cookies: set.join("; ") };
  }

  return {
    device,
    gate,
    api: `${gate.url}/${way}/api/me`,
    options: client.options(gate.url + path, device),
    async signIn() {
      const url = `${gate.url}/${way}/sign-in`;
      const response = await fetch(url, { method: "POST", body: JSON.stringify({ user: "ada" }) });
      for (const line of response.headers.getSetCookie()) await device.jar.setCookie(line, url);
      return [client.tokens((await response.json()) as Record<string, string & number>)] as never;
    },
    revoke: async () => server.revokeAll("ada"),
    async restart() {
      const { port } = server;
      await server.close();
      server = await open(port);
    },
    async steal() {
      const got = await renew(device.stored(), await device.jar.getCookieString(`${gate.url}${path}`));
      return got && (async () => (await renew(got.stored, got.cookies)) !== null);
    },
    async close() {
      await gate.close();
      await server.close();
      for (const end of ["", "-wal", "-shm"]) await rm(file + end, { force: true });
    },
  };
}

const row = (way: WayName, described: string, rest: Partial<Row> = {}): Row => ({
  server: "the demo's own back end",
  way: described,
  lifetime: 300,
  start: (lifetime) => start(way, lifetime),
  ...rest,
});

export const backend: Row[] = [
  row("pair", "expired pair"),
  row("two-jwt", "two JWTs"),
  row("cookie", "cookie", { lifetime: 60 }),
  row("sliding", "sliding", {
    lifetime: 24 * 60 * 60,
    expects: { offline: "ends", robbed: "goes on", thief: "goes on" },
  }),
  row("softexp", "soft expiry"),
  row("access-cookie", "stored refresh token + access cookie"),
];
