/** Whether each scenario runs with its refresh tokens in a worker. */
export const IN_VAULT = !!process.env.TOKENTIDE_VAULT;

/** The scenarios that mean something else with a vault, by a part of their names, and the reason. */
const DIFFERENT: readonly (readonly [name: RegExp, reason: string])[] = [
  [/^R6 crashed when the others have waited/, "the worker waits for a request that hangs, also when its tab has crashed"],
  [/^R6 with a reuseGrace, of the tabs/, "the worker has one request for all tabs that take over"],
  [/^R6 with .*: frozen in the middle/, "a tab that takes over gets the answer of the first request"],
  [/^R6 with .*: back while the tab that passed it over/, "a tab that takes over gets the answer at once"],
  [/given back$|^R25 X5 during a refresh/, "the worker revokes once, when the answer is there"],
  [/^R84 a prolonged lease whose holder is gone the next day/, "the worker was in the middle of the request, too"],
  [/^R23 R39 a body that breaks off/, "the worker does not use the page's network"],
  [/^R38 the last of many sign-ins in one task/, "the sign-ins wait for the worker, so the sign-out is first, and ends no session"],
  [/^R86 members that this release does not know/, "the format says that the refresh token is a handle"],
  [/^R87 .* a sign-in while restoring is the session then/, "the limit of a sign-in begins when the worker has answered"],
];

/** The reason to leave a scenario out, where it has one. */
export const differsInVault = (name: string): string | undefined =>
  IN_VAULT ? DIFFERENT.find(([pattern]) => pattern.test(name))?.[1] : undefined;
