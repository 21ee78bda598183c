export { commit, fail, type Holder, prolongLease } from "./holder.js";
export { abandonLease, keepLease, markPreempted, mayWrite, releaseLease, takeLease } from "./lease.js";
export { noteActivity, noteRevocation, noteVerdict } from "./notes.js";
export { acceptRenewal, end, handOver, hear, keepInMemory, keepPendingKey, prepareSignIn, signedOut, signIn, signOut } from "./session.js";
export type { Change, Moment, Step, Transition } from "./transition.js";
export { noChange } from "./transition.js";

/*
 * Every change that the record may undergo. A transition changes the members of its row, and no others: `table.test.ts` reads this table and
 * holds the transitions to it. A case with members of its own has its name in brackets. The name of another row stands for the members of
 * that row, and `*` for the whole record. For an audience, the members are those of the record that `audiences/ledger-view.ts` shows.
 *
 * | transition            | who, and when                                       | members |
 * | --------------------- | --------------------------------------------------- | ------- |
 * | signIn                | any tab, with tokens                                | end lost signedInAt inMemory bound pendingKey |
 * | signIn (first)        | the same, where there is no record                  | *       |
 * | prepareSignIn         | any tab, where there is no record                   | *       |
 * | keepInMemory          | any tab in memory mode, which found stored tokens   | inMemory |
 * | handOver              | any tab whose worker took the stored refresh token  | tokens  |
 * | keepPendingKey        | any tab in which a login begins                     | pendingKey |
 * | keepPendingKey (first) | the same, where there is no record                 | *       |
 * | takeLease             | the tab that may refresh                            | fence refreshing lost |
 * | markPreempted         | the tab that stole the lock from the lease's holder | refreshing |
 * | releaseLease          | the holder, which has sent nothing                  | refreshing |
 * | prolongLease          | the holder, whose answer is late                    | refreshing failure |
 * | keepLease             | the holder, whose session object is disposed of     | refreshing |
 * | abandonLease          | the holder, which no longer waits for a late answer | refreshing lost |
 * | commit                | the holder, with tokens                             | acceptRenewal endsAt refreshing uncured quietUntil |
 * | commit (sign-in)      | the same, and the tokens begin a session            | signIn quietUntil |
 * | commit (another user) | the same, and the tokens are of another user        | end lost |
 * | commit (late)         | a tab whose lease does not count any more           | refreshing |
 * | fail                  | the holder, without tokens                          | refreshing failure quietUntil lost |
 * | fail (refused)        | the same, refused, while the token serves           | fail final renewedBy dueAt tokens |
 * | fail (over)           | the same, refused, when a token is needed           | end     |
 * | fail (rescue)         | the same, with a refresh token                      | fail version by committedAt bound renewed tokens |
 * | fail (late)           | a tab whose lease does not count any more           | refreshing quietUntil |
 * | acceptRenewal         | any tab, with the token of a response header        | version by committedAt issuedAt expiresAt dueAt final renewedBy failure lost bound renewed tokens |
 * | end                   | any tab: no renewal is possible, or an API said so  | epoch version by committedAt signedIn reason lastActivityAt endsAt issuedAt expiresAt dueAt final renewedBy refreshing failure uncured bound renewed tokens |
 * | signedOut             | the ledger: a limit, or storage was cleared         | end lost |
 * | signOut               | any tab, at the user's will                         | end lost signedInAt |
 * | signOut (first)       | the same, where there is no record                  | *       |
 * | noteActivity          | any tab in which a user is active                   | lastActivityAt |
 * | noteRevocation        | any tab: an API refused what it had accepted        | uncured |
 * | noteVerdict           | any tab: an API's word on a renewal for a refusal   | uncured |
 * | hear                  | not newer, and the tabs do not share the ledger     | uncured tokens |
 * | hear (newer)          | newer, and the tabs do not share the ledger         | *       |
 * | hear (end)            | the tabs share the ledger, and the session is over  | end lost |
 * | hear (shared)         | any other message, and the tabs share the ledger    |         |
 * | noChange              | any tab, which only reads                           |         |
 */
