import { SessionError } from "../errors.js";
import type { Ledger } from "../ledger/ledger.js";
import { ended } from "../ledger/record.js";
import type { SharedClock } from "../platform/clock.js";
import type { Environment } from "../platform/environment.js";
import { type IssueOptions, issue } from "../refresh/issue.js";
import { parseTokens, readClaims } from "../token/decode.js";
import type { TokenSet } from "../types.js";

/** How long `ready` waits for storage, and a sign-in before it does without. */
export const RESTORE = 3000;
/** How long `signOut` waits for storage; the write goes on. */
const SIGN_OUT = 100;

/** How a session begins and ends at the user's will. */
export interface Entrance {
  signIn(input: unknown): Promise<void>;
  signOut(): Promise<void>;
}

export function createEntrance(
  { random }: Environment,
  clock: SharedClock,
  ledger: Ledger,
  tab: string,
  options: IssueOptions,
  atMost: <T>(milliseconds: number, promise: Promise<T>) => Promise<T | undefined>,
  assertAlive: () => void,
  announce: () => void,
  flush: () => void,
  revoke: (tokens: TokenSet | undefined) => void,
  complain: (problem: string) => void,
): Entrance {
  let drawn = 0;
  /** Two calls of this tab are ordered as they were made, however fast they follow on each other. */
  function draw(): number {
    assertAlive();
    drawn = Math.max(clock.now(), drawn + 1);
    return drawn;
  }

  return {
    async signIn(input) {
      const asked = draw();
      const tokens = parseTokens(input, options.strategy.accessTokenInCookie);
      const { nbf, exp } = ((options.readClaims && readClaims(tokens.accessToken)) || {}) as { nbf?: number; exp?: number };
      if (nbf && exp && nbf > exp) throw new SessionError("invalid-response", "the access token expires before it is valid (nbf, exp)");
      const circumstances = () => ({ now: clock.now(), asked, tab, age: 0, random, complain });
      const write = () => ledger.update((known) => issue(known, tokens, true, options, circumstances()), true);
      if (!(await atMost(RESTORE, write()))) {
        assertAlive();
        ledger.abandon();
        await write();
      }
      announce();
      flush();
    },
    async signOut() {
      const asked = draw();
      const known = ledger.current?.tokens;
      const written = ledger.end(ended(ledger.current, tab, asked, random(), "user")).then((replaced) => {
        announce();
        // Another tab renewed just before, or this one had not been restored yet.
        if (replaced?.tokens?.refreshToken !== known?.refreshToken) revoke(replaced?.tokens);
      });
      announce();
      revoke(known);
      await atMost(SIGN_OUT, written);
      flush();
    },
  };
}
