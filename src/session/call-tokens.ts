import { SessionError } from "../errors.js";
import type { CallTokens } from "../http/authorized-fetch.js";
import type { Effort } from "../http/call.js";
import { lastRenewal } from "../ledger/facts.js";
import { isNewerRelease } from "../ledger/format.js";
import { newerRelease } from "../refresh/decision.js";
import type { Refresher } from "../refresh/refresher.js";
import type { SessionContext } from "./context.js";
import { createPace } from "./pace.js";
import { together } from "./together.js";
import type { TokenSource } from "./token-source.js";
import { type Credential, sameUser, type View } from "./view.js";

export interface CallTokensParts {
  readonly view: Pick<View, "credential" | "isOfFormerUser" | "usableUntil">;
  readonly refresher: Refresher;
  readonly source: TokenSource;
}

/** A wait that ends later than this was held up by sleep, freezing or a busy page. The grace of a late timer is included. */
const LATE_MS = 2500;
/** The milliseconds that a call gets after such a wait. */
const SECOND_CHANCE_MS = 5000;

/** Gives each call of `session.fetch` its token, within the time that the call may wait. */
export function createCallTokens(
  context: SessionContext,
  { view, refresher, source }: CallTokensParts,
): Omit<CallTokens<Credential>, "end" | "isOfFormerUser"> {
  const pace = createPace(context, view);

  // After a failure, the call sends the present token, and the API decides on it.
  const waitFrom = together((_before: Credential | undefined) => source.getToken().catch(() => {}));
  const renewFor = together((_refused: Credential) => source.renew("unauthorized").catch(({ code }: SessionError) => code));

  /**
   * Waits for the promise for as long as the call may still wait. The promise itself goes on. Resolves with true when the device slept or the
   * page stood still meanwhile: the connection may have died, so the call gets more time.
   */
  async function spend(effort: Effort, wait: Promise<unknown>): Promise<boolean> {
    const { environment, waits } = context;
    // The device's own clock: messages of other tabs may move the shared clock.
    const read = () => ({ monotonic: environment.monotonic(), wall: environment.now() });
    let since: ReturnType<typeof read> | undefined;
    waits.whenActive(() => {
      since = read();
    });
    await waits.within(effort.left, wait);
    const now = read();
    const from = since ?? now;
    const spent = now.monotonic - from.monotonic;
    const stoodStill = Math.max(spent, now.wall - from.wall) > effort.left + LATE_MS;
    effort.left = stoodStill ? SECOND_CHANCE_MS : Math.max(0, effort.left - spent);
    return stoodStill;
  }

  /** Returns the present credential, or null when it is of another user than `before`. */
  function ofSameUser(before: Credential | undefined): Credential | null {
    const { credential } = view;
    return credential && (!before || sameUser(before, credential)) && !context.limits.reached() ? credential : null;
  }

  async function cure(refused: Credential, effort: Effort): Promise<void> {
    await pace.refused(refused, effort);
    const joins = refresher.flight !== undefined;
    let outcome = await renewFor(refused);
    // The joined refresh had waited for another tab already, and so gave up early. A refused call gets a whole wait of its own (R45).
    if (joins && outcome === "busy") outcome = await renewFor(refused);
    if (!["refreshed", "adopted"].includes(outcome) || !context.ledger.current) return;
    effort.renewal = lastRenewal(context.ledger.current).at;
    effort.began = !joins && outcome === "refreshed";
    if (effort.signal?.aborted) pace.judged(refused, effort, false);
  }

  return {
    ...pace,
    peek: source.peek,
    async wait(effort) {
      const before = view.credential;
      while (await spend(effort, waitFrom(before)));
      if (before && view.isOfFormerUser(before))
        throw new SessionError("user-changed", "another user has signed in; the request was not sent");
      const { current } = context.ledger;
      if (current?.signedIn && isNewerRelease(current) && !source.peek()) throw newerRelease();
      return ofSameUser(before);
    },
    async replace(refused, effort) {
      const before = ofSameUser(refused);
      if (before === refused || (before && context.clock.now() >= view.usableUntil)) while (await spend(effort, cure(refused, effort)));
      const next = ofSameUser(refused);
      return next === refused ? null : next;
    },
  };
}
