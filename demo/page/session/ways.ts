import { at } from "../place.js";
import { call } from "./call.js";
import type { Setup } from "./setup.js";

/** A way of renewing. */
export interface Way {
  readonly title: string;
  readonly summary: string;
  /** The options of `createSession` for this way. */
  readonly setup: Pick<Setup, "refresh" | "dpop" | "expiryClaim" | "classify">;
  /** The folder of the way's API, and on the demo's own back end of everything that belongs to the way. */
  readonly folder: string;
  /** Whether a script of the page can read the token that renews. */
  readonly stealable: boolean;
  /** Whether the token that renews can be used once only, so that the server notices a second use. */
  readonly rotates: boolean;
  /** Whether the server can be told to answer a used token again for a while. */
  readonly grace: boolean;
}

const refresh = call("oauth2", {
  tokenEndpoint: at("oauth/token"),
  revocationEndpoint: at("oauth/revoke"),
  clientId: "tokentide-demo",
});

/** The addresses of a way of the demo's own back end. */
const own = (folder: string) => ({ url: at(`${folder}/refresh`), signOutUrl: at(`${folder}/sign-out`) });
const pair = own("pair");
const withCookie = own("cookie");
const slide = own("sliding");
const soft = own("softexp");

export const ways: Record<string, Way> = {
  oauth2: {
    title: "OAuth 2",
    summary: "A refresh token that can be used once, exchanged at the token endpoint.",
    setup: { refresh },
    folder: "",
    stealable: true,
    rotates: true,
    grace: true,
  },
  dpop: {
    title: "DPoP",
    summary: "OAuth 2 with tokens that are bound to a key. Script of this page can use the key, and cannot copy it.",
    setup: { refresh, dpop: call("dpop", {}) },
    folder: "",
    stealable: true,
    rotates: true,
    grace: false,
  },
  pair: {
    title: "Token pair",
    summary: "The expired JWT and a refresh value that can be used once, posted together as JSON.",
    setup: { refresh: call("tokenPair", { url: pair.url, accessTokenField: "token", signOutUrl: pair.signOutUrl }) },
    folder: "pair/",
    stealable: true,
    rotates: true,
    grace: false,
  },
  cookie: {
    title: "Cookie",
    summary: "What renews is in an HttpOnly cookie, which no script can read; a header proves that the request is this page’s own.",
    setup: {
      refresh: call("cookie", {
        url: withCookie.url,
        csrf: { header: "x-csrf-token", cookie: "csrf" },
        signOutUrl: withCookie.signOutUrl,
      }),
    },
    folder: "cookie/",
    stealable: false,
    rotates: true,
    grace: false,
  },
  sliding: {
    title: "Sliding",
    summary: "One token, exchanged for a later one while it is still valid. There is nothing else to renew it with.",
    setup: { refresh: call("sliding", { url: slide.url, accessTokenField: "token", signOutUrl: slide.signOutUrl }) },
    folder: "sliding/",
    stealable: true,
    rotates: false,
    grace: false,
  },
  softexp: {
    title: "Soft expiry",
    summary: "A JWT that is to be renewed at its “softexp”, well before its “exp”; the API says by a code which of the two has passed.",
    setup: {
      refresh: call("tokenPair", { url: soft.url, accessTokenField: "token", signOutUrl: soft.signOutUrl }),
      expiryClaim: "softexp",
      classify: call("byCode", { refresh: ["EXPIRED_TOKEN"], signOut: ["INVALID_TOKEN"] }),
    },
    folder: "softexp/",
    stealable: true,
    rotates: true,
    grace: false,
  },
};

export const wayOf = (name: string): Way => ways[name] ?? (ways.oauth2 as Way);
