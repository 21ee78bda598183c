import { ended } from "../ledger/record.js";
import type { Change, Ledger } from "../ledger/types.js";
import { issue } from "../refresh/issue.js";
import type { Refresher } from "../refresh/refresher.js";
import { assertSensible, parseTokens, readClaims } from "../token/decode.js";
import type { TokenSet } from "../types.js";
import type { AccessParts } from "./access.js";

/** How long `ready` waits for storage, and a sign-in before it does without. */
export const RESTORE = 3000;
/** How long `signOut` waits for storage; the write goes on. */
const SIGN_OUT = 100;

/** How a session begins and ends at the user's will. */
export interface Entrance {
  signIn(input: unknown): Promise<void>;
  signOut(): Promise<void>;
}

/** What they need of the session. */
export interface EntranceParts
  extends Pick<AccessParts, "clock" | "random" | "tab" | "options" | "assertAlive" | "announce" | "flush" | "complain"> {
  readonly ledger: Ledger;
  readonly atMost: <T>(milliseconds: number, promise: Promise<T>) => Promise<T | undefined>;
  readonly revoke: (tokens: TokenSet | undefined) => void;
  /** Resolves when what an earlier page left is known. Rejects when the session was disposed of. */
  readonly restored: () => Promise<void>;
  readonly begin: Refresher["begin"];
}

export function createEntrance({
  clock,
  random,
  tab,
  ledger,
  options,
  atMost,
  assertAlive,
  announce,
  flush,
  revoke,
  complain,
  restored,
  begin,
}: EntranceParts): Entrance {
  let drawn = 0;
  /** Two calls of this tab are ordered as they were made, however fast they follow on each other. */
  function draw(): number {
    assertAlive();
    drawn = Math.max(clock.now(), drawn + 1);
    return drawn;
  }

  /** Without the storage as long as it does not answer. */
  async function store(change: Change): Promise<void> {
    if (await atMost(RESTORE, ledger.update(change, true))) return;
    assertAlive();
    ledger.abandon(change);
  }

  return {
    async signIn(input) {
      const asked = draw();
      const { needsRefreshToken, needsValidToken } = options.strategy;
      if (input === undefined && !needsRefreshToken && !needsValidToken) {
        await restored();
        // Something to mark: nobody may have signed in yet.
        await store((known) => known ?? ended(undefined, tab, asked, random(), "user"));
        await begin();
        return;
      }
      const tokens = parseTokens(input, options.strategy.accessTokenInCookie);
      if (options.readClaims) assertSensible(readClaims(tokens.accessToken));
      const circumstances = () => ({ now: clock.now(), asked, tab, age: 0, random, complain });
      await store((known) => issue(known, tokens, true, options, circumstances()));
      announce();
      flush();
    },
    async signOut() {
      const asked = draw();
      const known = ledger.current?.tokens;
      const written = ledger.end(ended(ledger.current, tab, asked, random(), "user")).then((replaced) => {
        announce();
        // Another tab renewed just before, or this one had not been restored yet.
        if (replaced?.signedIn && (!known || replaced.tokens?.refreshToken !== known.refreshToken)) revoke(replaced.tokens ?? {});
      });
      announce();
      revoke(known);
      await atMost(SIGN_OUT, written);
      flush();
    },
  };
}
