// Each way of calling an API with a token, with the smallest glue that makes it work. Those that bring a login of their own are in peers.js.
import { OAuth2Client, OAuth2Fetch } from "@badgateway/oauth2-client";
import axios from "axios";
import createAuthRefresh from "axios-auth-refresh";
import ky from "ky";
import { createFloor } from "./floor.js";
import { peers } from "./peers.js";
import { tokensOf } from "./world.js";

// Built by run.js, so it may not be there yet when types are checked.
const built = new URL("node_modules/.cache/tokentide.mjs", import.meta.url).href;
/** @type {Pick<typeof import("../src/index.js"), "createSession">} */
const { createSession } = await import(built);
/** The ky of this folder's package.json, whose hooks are called otherwise than those of the project's. */
const ky2 = /** @type {typeof import("ky-2").default} */ (/** @type {unknown} */ (ky));

/**
 * `call` sends; `request` says that it takes a `Request`, too. `renew(refreshToken)` asks the auth server.
 *
 * @typedef {ReturnType<typeof tokensOf>} Tokens
 * @typedef {{ api: string, answer: import("./world.js").Network, renew: (refreshToken: string | null | undefined) => Promise<Tokens> }} Surroundings
 * @typedef {{ call: (input: any, init?: any) => Promise<any>, request?: boolean, stop?: (() => void) | undefined }} Contestant
 */

/** @type {Record<string, (surroundings: Surroundings) => Promise<Contestant>>} */
export const contestants = {
  "header by hand": async () => {
    const { access_token } = tokensOf(1);
    return {
      call: (input, init) => fetch(input, { ...init, headers: { authorization: `Bearer ${access_token}` } }),
      request: true,
    };
  },
  "60-line floor": async ({ api, renew }) => {
    const floor = createFloor({ refresh: renew, origins: [api] });
    floor.accept(tokensOf(1));
    return { call: floor.fetch, request: true, stop: floor.stop };
  },
  tokentide: async ({ api, renew }) => {
    const session = createSession({ name: "bench", allowedOrigins: [api], refresh: ({ tokens }) => renew(tokens.refreshToken) });
    await session.ready;
    await session.signIn(tokensOf(1));
    return { call: session.fetch, request: true, stop: session.dispose };
  },
  "@badgateway/oauth2-client": async () => {
    const { access_token: accessToken, refresh_token: refreshToken } = tokensOf(1);
    const client = new OAuth2Client({
      server: "https://auth.example.test",
      tokenEndpoint: "/token",
      clientId: "spa",
      fetch: (input, init) => fetch(input, init),
    });
    const token = { accessToken, refreshToken, expiresAt: Date.now() + 3_600_000 };
    const wrapper = new OAuth2Fetch({ client, getNewToken: () => null, getStoredToken: () => token });
    return { call: (input, init) => wrapper.fetch(input, init), request: true };
  },
  "ky with a hook": async ({ renew }) => {
    let tokens = tokensOf(1);
    /** @type {Promise<Tokens> | undefined} */
    let flight;
    const client = ky2.create({
      fetch: (input, init) => fetch(input, init),
      retry: 0,
      throwHttpErrors: false,
      hooks: {
        beforeRequest: [({ request }) => request.headers.set("authorization", `Bearer ${tokens.access_token}`)],
        afterResponse: [
          async ({ request, response }) => {
            if (response.status !== 401) return undefined;
            if (request.headers.get("authorization") === `Bearer ${tokens.access_token}`) {
              flight ??= renew(tokens.refresh_token).finally(() => {
                flight = undefined;
              });
              tokens = await flight;
            }
            const headers = new Headers(request.headers);
            headers.set("authorization", `Bearer ${tokens.access_token}`);
            return fetch(new Request(request, { headers }));
          },
        ],
      },
    });
    return { call: (input, init) => client(input, init), request: true };
  },
  "axios + axios-auth-refresh": async ({ renew }) => {
    let tokens = tokensOf(1);
    const client = axios.create({ adapter: "fetch", env: { fetch: (input, init) => fetch(input, init) } });
    client.interceptors.request.use((config) => {
      config.headers.authorization = `Bearer ${tokens.access_token}`;
      return config;
    });
    const install = createAuthRefresh.default ?? createAuthRefresh;
    install(client, async ({ response }) => {
      tokens = await renew(tokens.refresh_token);
      if (response) response.config.headers.authorization = `Bearer ${tokens.access_token}`;
    });
    return { call: (url) => client.get(url) };
  },
  ...peers,
};
