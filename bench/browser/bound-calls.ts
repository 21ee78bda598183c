import { createHash } from "node:crypto";
import { EmbeddedJWK, jwtVerify } from "jose";
import type { ChromiumBrowser } from "../../test/browser/harness/chromium.js";
import { quantile, spread } from "../measure.js";
import type { Caller } from "./bound.js";
import { BOUND_PATH, type Site } from "./site.js";

/** Calls of each in one turn. */
const TURN = 20;
const WARM_UP = 5;

/** What a proof costs a call: `added` is what the session with `dpop` takes longer than the one without it, by the medians of the same turn. */
export async function costOfProofs(browser: ChromiumBrowser, site: Site, rounds: number) {
  const tab = await browser.newTab(`${site.url}/bound`);
  await tab.run((given) => boundCalls.signIn(given), { tokens: site.restorable, path: BOUND_PATH });
  const medians: Record<Caller, number>[] = [];
  for (let round = -WARM_UP; round < rounds; round++) {
    const { byHand, bearer, bound } = await tab.run((calls) => boundCalls.turn(calls), TURN);
    if (round >= 0) medians.push({ byHand: quantile(byHand, 0.5), bearer: quantile(bearer, 0.5), bound: quantile(bound, 0.5) });
  }
  await tab.close();
  await assertProof(site);
  const of = (caller: Caller) => spread(medians.map((round) => round[caller]));
  const added = spread(medians.map(({ bearer, bound }) => bound - bearer));
  return { rounds, calls: TURN, byHand: of("byHand"), bearer: of("bearer"), bound: of("bound"), added };
}

/** The API looks at no proof, so that its own time is not measured. The last one is looked at here. */
async function assertProof({ url, bound, restorable }: Site): Promise<void> {
  const { payload } = await jwtVerify(bound.proof, EmbeddedJWK, { typ: "dpop+jwt" });
  const ath = createHash("sha256").update(restorable.access_token).digest("base64url");
  if (payload.htm !== "GET" || payload.htu !== url + BOUND_PATH || payload.ath !== ath)
    throw new Error(`the last call had a wrong proof: ${JSON.stringify(payload)}`);
}
