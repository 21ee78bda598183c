import { HttpResponse, http } from "msw";
import { responseOf } from "../../src/testing/msw.js";
import { at, base } from "../page/place.js";
import { bearerOf, idOf, sign, takeFault } from "./answers.js";
import { check, exchange, grantOf, ownerOf, signIn, slide } from "./grants.js";
import { type Grant, type Issued, type State, serve, serverKey } from "./state.js";

/** The credentials of a request. The ids belong to tokens that were verified. */
interface Presented {
  readonly json: Record<string, unknown>;
  readonly csrf: string | null;
  /** The id of a bearer token that is valid now. */
  readonly bearer: string | undefined;
  /** The id of a token in the body, expired or not. */
  readonly tokenId: string | undefined;
}

/** A way of the demo's own back end, as far as a page can imitate it. */
interface Way {
  readonly renew: (state: State, presented: Presented) => Issued | undefined;
  readonly sessionOf: (state: State, presented: Presented) => Grant | undefined;
  readonly answer: (issued: Issued, token: string) => object;
  /** Keeps the part of an answer that a browser would keep in a cookie. */
  readonly keep?: (state: State, issued: Issued | undefined) => void;
}

const pairOf = (way: string): Way => ({
  renew: (state, { json, tokenId }) => exchange(state, way, String(json.refreshToken), { tokenId: tokenId ?? "" }),
  sessionOf: (state, { json }) => ownerOf(state, way, String(json.refreshToken)),
  answer: ({ refreshToken }, token) => ({ token, refreshToken }),
});

const ways: Record<string, Way> = {
  pair: pairOf("pair"),
  softexp: pairOf("softexp"),
  cookie: {
    renew(state, { csrf }) {
      const value = state.cookie ?? undefined;
      const owner = ownerOf(state, "cookie", value);
      return owner && owner.csrf === csrf ? exchange(state, "cookie", value as string) : undefined;
    },
    sessionOf: (state) => ownerOf(state, "cookie", state.cookie ?? undefined),
    answer(issued, token) {
      // biome-ignore lint/suspicious/noDocumentCookie: not every browser has the Cookie Store API
      document.cookie = `csrf=${issued.csrf}; path=${base.pathname}; samesite=strict`;
      return { accessToken: token };
    },
    keep(state, issued) {
      state.cookie = issued?.refreshToken ?? null;
    },
  },
  sliding: {
    renew: (state, { bearer }) => (bearer === undefined ? undefined : slide(state, bearer)),
    sessionOf: (state, { bearer }) => grantOf(state, bearer),
    answer: (_issued, token) => ({ token }),
  },
};

async function read(request: Request): Promise<Presented> {
  const key = await serverKey();
  const text = await request.text();
  const json = (text ? JSON.parse(text) : {}) as Record<string, unknown>;
  return {
    json,
    csrf: request.headers.get("x-csrf-token"),
    bearer: await idOf(bearerOf(request), key),
    tokenId: await idOf(typeof json.token === "string" ? json.token : undefined, key, { expired: true }),
  };
}

const refuse = () => HttpResponse.json({ error: "refused" }, { status: 401 });

function handlersOf(name: string, way: Way) {
  const answer = async (issued: Issued, key: CryptoKey) =>
    HttpResponse.json(way.answer(issued, await sign(issued, key)), { headers: { "cache-control": "no-store" } });
  return [
    http.post(at(`${name}/sign-in`), async ({ request }) => {
      const { user } = (await request.json()) as { user: string };
      const { issued, key } = await serve((state) => {
        const issued = signIn(state, name, user);
        way.keep?.(state, issued);
        return { issued };
      });
      return answer(issued, key);
    }),
    http.post(at(`${name}/refresh`), async ({ request }) => {
      const presented = await read(request);
      const { fault, issued, key } = await serve((state) => {
        state.stats.attempts += 1;
        const fault = takeFault(state);
        const issued = fault?.processed === false ? undefined : way.renew(state, presented);
        // A lost answer does not change the cookie.
        if (issued && !fault) way.keep?.(state, issued);
        return { fault, issued };
      });
      if (fault?.instead) return responseOf(fault.instead);
      return issued ? answer(issued, key) : refuse();
    }),
    http.post(at(`${name}/sign-out`), async ({ request }) => {
      const presented = await read(request);
      await serve((state) => {
        const grant = way.sessionOf(state, presented);
        if (grant) grant.ended = true;
        way.keep?.(state, undefined);
        return {};
      });
      return new HttpResponse(null, { status: 204 });
    }),
    http.get(at(`${name}/api/me`), async ({ request }) => {
      const jti = await idOf(bearerOf(request), await serverKey());
      const { known } = await serve((state) => ({ known: check(state, name, jti) }));
      if (typeof known === "object") return HttpResponse.json(known);
      const code = known === "expired" ? "EXPIRED_TOKEN" : "INVALID_TOKEN";
      return HttpResponse.json({ code }, { status: 401, headers: { "www-authenticate": 'Bearer error="invalid_token"' } });
    }),
  ];
}

export const ownHandlers = Object.entries(ways).flatMap(([name, way]) => handlersOf(name, way));
