import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBackend, type WayName } from "../../../../servers/backend/index.js";
import { byCode, cookie, renewalHeader, SessionError, sliding, tokenPair } from "../../../../src/index.js";
import type { SessionOptions, TokenSet } from "../../../../src/types/index.js";
import { createDevice, type Device } from "../../device.js";
import { openGate } from "../../gate.js";
import { type Row, type Setting, theft } from "../row.js";

interface Client {
  /** Everything but the origins. */
  readonly options: (url: string, device: Device) => Pick<SessionOptions, "refresh"> & Partial<SessionOptions>;
  /** What is in the answer to a sign-in, or to a renewal. */
  readonly tokens: (answer: Answer) => TokenSet;
  /** A login by redirect leaves the cookie and nothing else. */
  readonly byRedirect?: true;
  /** What a thief sends who has read the page's storage, or its cookies. */
  readonly renewal: (stored: TokenSet) => { body?: unknown; bearer?: string | undefined };
}

type Answer = Record<string, string & number>;

interface Loot {
  readonly stored: TokenSet;
  readonly cookies: string;
}

const csrf = (device: Device, url: string) => async () => (await device.jar.getCookies(`${url}/`)).find(({ key }) => key === "csrf")?.value;

const clients: Record<WayName, Client> = {
  pair: {
    options: (url) => ({ refresh: tokenPair({ url, accessTokenField: "token" }) }),
    tokens: ({ token, refreshToken }) => ({ accessToken: token, refreshToken }),
    renewal: ({ accessToken, refreshToken }) => ({ body: { token: accessToken, refreshToken } }),
  },
  "two-jwt": {
    options: (url) => ({ refresh: tokenPair({ url, accessTokenField: "access", refreshTokenField: "refresh" }) }),
    tokens: ({ access, refresh }) => ({ accessToken: access, refreshToken: refresh }),
    renewal: ({ refreshToken }) => ({ body: { refresh: refreshToken } }),
  },
  cookie: {
    options: (url, device) => ({ refresh: cookie({ url, csrf: { header: "X-CSRF-Token", value: csrf(device, url) } }) }),
    tokens: ({ accessToken }) => ({ accessToken }),
    byRedirect: true,
    renewal: () => ({}),
  },
  sliding: {
    options: (url) => ({ refresh: sliding({ url, accessTokenField: "token" }) }),
    tokens: ({ token }) => ({ accessToken: token }),
    renewal: ({ accessToken }) => ({ bearer: accessToken }),
  },
  softexp: {
    options: (url) => ({
      refresh: tokenPair({ url, accessTokenField: "token" }),
      expiryClaim: "softexp",
      classify: byCode({ refresh: ["EXPIRED_TOKEN"], signOut: ["INVALID_TOKEN"] }),
    }),
    tokens: ({ token, refreshToken }) => ({ accessToken: token, refreshToken }),
    renewal: ({ accessToken, refreshToken }) => ({ body: { token: accessToken, refreshToken } }),
  },
  "access-cookie": {
    options: (url) => ({ refresh: tokenPair({ url, accessTokenField: null, credentials: "include" }) }),
    tokens: ({ refreshToken, expiresIn }) => ({ refreshToken, expiresIn }),
    renewal: ({ refreshToken }) => ({ body: { refreshToken } }),
  },
};

/** `tokenPair` by hand, as an app would write it. */
const ownFunction: Client["options"] = (url) => ({
  async refresh({ tokens, signal, fetch }) {
    const body = JSON.stringify({ token: tokens.accessToken, refreshToken: tokens.refreshToken });
    const response = await fetch(url, { method: "POST", body, signal });
    if ([401, 403].includes(response.status)) throw new SessionError("rejected", "the session has ended");
    if (!response.ok) throw new SessionError("server", "try later", { status: response.status });
    const { token, refreshToken } = (await response.json()) as Answer;
    return { accessToken: token, refreshToken };
  },
});

async function start(way: WayName, lifetime: number, options = clients[way].options): Promise<Setting> {
  const client = clients[way];
  const file = join(tmpdir(), `tokentide-${randomUUID()}.db`);
  let now: () => number = Date.now;
  const open = (port = 0) => startBackend({ file, now: () => now(), lifetimes: { accessTokenSeconds: lifetime }, port });
  let server = await open();
  const path = `/${way}/refresh`;
  const gate = await openGate(
    () => server.url,
    (asked) => asked === path,
  );
  const device = createDevice(gate.url);
  // True time: what the clock of the device shows, unless somebody sets that.
  now = () => device.clock.worldNow();

  async function renew({ stored, cookies }: Loot): Promise<Loot | null> {
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
    return { stored: client.tokens((await response.json()) as Answer), cookies: set.join("; ") };
  }

  return {
    device,
    gate,
    api: `${gate.url}/${way}/api/me`,
    options: options(gate.url + path, device),
    async signIn() {
      const url = `${gate.url}/${way}/sign-in`;
      const response = await fetch(url, { method: "POST", body: JSON.stringify({ user: "ada" }) });
      for (const line of response.headers.getSetCookie()) await device.jar.setCookie(line, url);
      return client.byRedirect ? [] : [client.tokens((await response.json()) as Answer)];
    },
    revoke: async () => server.revokeAll("ada"),
    async restart() {
      const { port } = server;
      await server.close();
      server = await open(port);
    },
    steal: async () => theft(renew, { stored: device.stored(), cookies: await device.jar.getCookieString(gate.url + path) }),
    async close() {
      await gate.close();
      await server.close();
      for (const end of ["", "-wal", "-shm"]) await rm(file + end, { force: true });
    },
  };
}

const row = (way: WayName, described: string, rest: Partial<Row> = {}, options?: Client["options"]): Row => ({
  server: "the demo's own back end",
  way: described,
  lifetime: 300,
  start: (lifetime) => start(way, lifetime, options),
  ...rest,
});

/** Who has read a sliding token has all there is, and nobody can tell. */
const slides: Partial<Row> = { lifetime: 24 * 60 * 60, expects: { offline: "ends", robbed: "goes on", thief: "goes on" } };

export const backend: Row[] = [
  row("pair", "expired pair"),
  row("two-jwt", "two JWTs"),
  row("cookie", "cookie", { lifetime: 60 }),
  row("sliding", "sliding", slides),
  row("sliding", "sliding, and by response", slides, (url, device) => ({
    ...clients.sliding.options(url, device),
    renewalHeader: renewalHeader("x-renewed-token"),
  })),
  row("softexp", "soft expiry"),
  row("access-cookie", "stored refresh token + access cookie"),
  row("pair", "your own function", {}, ownFunction),
];
