// Each way of calling an API with a token, with the smallest glue that makes it work. `renew(refreshToken)` asks the auth server.
import { OAuth2Client, OAuth2Fetch } from "@badgateway/oauth2-client";
import axios from "axios";
import createAuthRefresh from "axios-auth-refresh";
import ky from "ky";
import { createFloor } from "./floor.js";
import { createSession } from "./node_modules/.cache/tokentide.mjs";

export const api = "https://api.example.test";
const first = { access_token: "token-1", refresh_token: "refresh-1", expires_in: 3600, token_type: "Bearer" };

export const contestants = {
  "header by hand": async () => ({
    call: (url, init) => fetch(url, { ...init, headers: { authorization: "Bearer token-1" } }),
    renews: false,
  }),
  "60-line floor": async (renew) => {
    const floor = createFloor({ refresh: renew, origins: [api] });
    floor.accept(first);
    return { call: floor.fetch, stop: floor.stop };
  },
  tokentide: async (renew) => {
    const session = createSession({ allowedOrigins: [api], refresh: ({ tokens }) => renew(tokens.refreshToken) });
    await session.ready;
    await session.signIn(first);
    return { call: session.fetch, stop: session.dispose };
  },
  "@badgateway/oauth2-client": async () => {
    const client = new OAuth2Client({
      server: "https://auth.example.test",
      tokenEndpoint: "/token",
      clientId: "spa",
      fetch: (...args) => fetch(...args),
    });
    const token = { accessToken: "token-1", refreshToken: "refresh-1", expiresAt: Date.now() + 3_600_000 };
    const wrapper = new OAuth2Fetch({ client, getNewToken: () => null, getStoredToken: () => token });
    return { call: (url, init) => wrapper.fetch(url, init) };
  },
  "ky with a hook": async (renew) => {
    let token = first.access_token;
    let flight;
    const client = ky.create({
      fetch: (...args) => fetch(...args),
      retry: 0,
      throwHttpErrors: false,
      hooks: {
        beforeRequest: [(state) => void (state.request ?? state).headers.set("authorization", `Bearer ${token}`)],
        afterResponse: [
          async (state, _options, answer) => {
            const request = state.request ?? state;
            const response = state.response ?? answer;
            if (response.status !== 401) return undefined;
            flight ??= renew("refresh-1").finally(() => {
              flight = undefined;
            });
            token = (await flight).access_token;
            const headers = new Headers(request.headers);
            headers.set("authorization", `Bearer ${token}`);
            return fetch(new Request(request, { headers }));
          },
        ],
      },
    });
    return { call: (url) => client(url) };
  },
  "axios + axios-auth-refresh": async (renew) => {
    let token = first.access_token;
    const client = axios.create({ adapter: "fetch", env: { fetch: (...args) => fetch(...args) } });
    client.interceptors.request.use((config) => {
      config.headers.authorization = `Bearer ${token}`;
      return config;
    });
    const install = createAuthRefresh.default ?? createAuthRefresh;
    install(client, async (failed) => {
      token = (await renew("refresh-1")).access_token;
      failed.response.config.headers.authorization = `Bearer ${token}`;
    });
    return { call: (url) => client.get(url) };
  },
};
