import { byCode, cookie, oauth2, type RefreshStrategy, type SessionOptions, sliding, tokenPair } from "../../../src/index.js";
import { at } from "../place.js";

/** A way of renewing: what is passed to `createSession`, and the same as text. */
export interface Way {
  readonly title: string;
  readonly summary: string;
  /** The names to import, besides `createSession`. */
  readonly imports: readonly string[];
  readonly strategy: () => RefreshStrategy;
  readonly options?: Partial<SessionOptions>;
  /** `refresh: …`, and what else the options hold. */
  readonly code: readonly string[];
  /** Below which folder the server has its API; of its own back end, all that belongs to the way. */
  readonly folder: string;
  /** Whether script can read something that renews. */
  readonly stealable: boolean;
  /** Whether what renews can be used once, so that the server sees it when it comes again. */
  readonly rotates: boolean;
  /** Whether the server can be told to answer a used one again for a while. */
  readonly grace: boolean;
}

/** What the ways of the demo's own back end have in common: its addresses. */
const own = (folder: string) => ({ folder: `${folder}/`, url: at(`${folder}/refresh`), signOutUrl: at(`${folder}/sign-out`) });
const quoted = (url: string) => JSON.stringify(url);

const token = { endpoint: at("oauth/token"), revocation: at("oauth/revoke") };
const pair = own("pair");
const withCookie = own("cookie");
const slide = own("sliding");
const soft = own("softexp");

export const ways: Record<string, Way> = {
  oauth2: {
    title: "OAuth 2",
    summary: "A refresh token that can be used once, exchanged at the token endpoint.",
    imports: ["oauth2"],
    strategy: () => oauth2({ tokenEndpoint: token.endpoint, revocationEndpoint: token.revocation, clientId: "tokentide-demo" }),
    code: [
      "refresh: oauth2({",
      `  tokenEndpoint: ${quoted(token.endpoint)},`,
      `  revocationEndpoint: ${quoted(token.revocation)},`,
      '  clientId: "tokentide-demo",',
      "}),",
    ],
    folder: "",
    stealable: true,
    rotates: true,
    grace: true,
  },
  pair: {
    title: "Token pair",
    summary: "The expired JWT and a refresh value that can be used once, posted together as JSON.",
    imports: ["tokenPair"],
    strategy: () => tokenPair({ url: pair.url, accessTokenField: "token", signOutUrl: pair.signOutUrl }),
    code: [
      "refresh: tokenPair({",
      `  url: ${quoted(pair.url)},`,
      '  accessTokenField: "token",',
      `  signOutUrl: ${quoted(pair.signOutUrl)},`,
      "}),",
    ],
    folder: pair.folder,
    stealable: true,
    rotates: true,
    grace: false,
  },
  cookie: {
    title: "Cookie",
    summary: "What renews is in an HttpOnly cookie, which no script can read; a header proves that the request is this page’s own.",
    imports: ["cookie"],
    strategy: () => cookie({ url: withCookie.url, csrf: { header: "x-csrf-token", cookie: "csrf" }, signOutUrl: withCookie.signOutUrl }),
    code: [
      "refresh: cookie({",
      `  url: ${quoted(withCookie.url)},`,
      '  csrf: { header: "x-csrf-token", cookie: "csrf" },',
      `  signOutUrl: ${quoted(withCookie.signOutUrl)},`,
      "}),",
    ],
    folder: withCookie.folder,
    stealable: false,
    rotates: true,
    grace: false,
  },
  sliding: {
    title: "Sliding",
    summary: "One token, exchanged for a later one while it is still valid. There is nothing else to renew it with.",
    imports: ["sliding"],
    strategy: () => sliding({ url: slide.url, accessTokenField: "token", signOutUrl: slide.signOutUrl }),
    code: [
      "refresh: sliding({",
      `  url: ${quoted(slide.url)},`,
      '  accessTokenField: "token",',
      `  signOutUrl: ${quoted(slide.signOutUrl)},`,
      "}),",
    ],
    folder: slide.folder,
    stealable: true,
    rotates: false,
    grace: false,
  },
  softexp: {
    title: "Soft expiry",
    summary: "A JWT that is to be renewed at its “softexp”, well before its “exp”; the API says by a code which of the two has passed.",
    imports: ["byCode", "tokenPair"],
    strategy: () => tokenPair({ url: soft.url, accessTokenField: "token", signOutUrl: soft.signOutUrl }),
    options: { expiryClaim: "softexp", classify: byCode({ refresh: ["EXPIRED_TOKEN"], signOut: ["INVALID_TOKEN"] }) },
    code: [
      "refresh: tokenPair({",
      `  url: ${quoted(soft.url)},`,
      '  accessTokenField: "token",',
      `  signOutUrl: ${quoted(soft.signOutUrl)},`,
      "}),",
      'expiryClaim: "softexp",',
      'classify: byCode({ refresh: ["EXPIRED_TOKEN"], signOut: ["INVALID_TOKEN"] }),',
    ],
    folder: soft.folder,
    stealable: true,
    rotates: true,
    grace: false,
  },
};

export const wayOf = (name: string): Way => ways[name] ?? (ways.oauth2 as Way);
