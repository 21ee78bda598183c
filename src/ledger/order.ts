import { lastRenewal } from "./facts.js";
import type { LedgerRecord } from "./record.js";

/** Whether two records are of one commit. It compares author and time, since a tab without storage renumbers the commits of other tabs. */
export const sameCommit = (one: LedgerRecord | undefined, other: LedgerRecord | undefined): boolean =>
  (["epoch", "by", "committedAt"] as const).every((part) => one?.[part] === other?.[part]);

/** Whether the access token of `record` is of a later commit. A higher version alone does not count: a tab without storage renumbers commits. */
export const isRenewed = (record: LedgerRecord, base: LedgerRecord): boolean =>
  lastRenewal(record).version > lastRenewal(base).version && lastRenewal(record).at !== lastRenewal(base).at;

/** Whether the user has signed out since the sign-in in `base` began. Any other end of a session does not stop a sign-in. */
export const isCalledOff = (record: LedgerRecord, base: LedgerRecord): boolean =>
  record.epoch !== base.epoch && !record.signedIn && (record.reason ?? "user") === "user";

/** Returns the latest time in the record. The shared clock has reached it already. */
export const latestInstant = ({ committedAt, failure, refreshing, lastActivityAt }: LedgerRecord): number =>
  Math.max(committedAt, failure?.at ?? 0, refreshing?.since ?? 0, lastActivityAt ?? 0);

/** Whether `one` is the end of an earlier session than `other`. It does not end the later session, unless the user ended it. */
const isEarlierEnd = (one: LedgerRecord, other: LedgerRecord): boolean =>
  !one.signedIn && (one.reason ?? "user") !== "user" && other.signedIn && other.signedInAt > one.signedInAt;

/** Whether `candidate` came after `known`. Only records that no transaction orders need this comparison. */
export function isNewer(candidate: LedgerRecord, known: LedgerRecord): boolean {
  if (isEarlierEnd(candidate, known)) return false;
  // Of two commits of one tab, another tab may have renumbered the earlier one.
  const isOfSameTab = candidate.epoch === known.epoch && candidate.by === known.by;
  if (isOfSameTab && candidate.committedAt !== known.committedAt) return candidate.committedAt > known.committedAt;
  const ahead = gained(candidate, known) || candidate.fence - known.fence;
  if (ahead) return ahead > 0;
  const { refreshing } = candidate;
  if (!known.refreshing || !refreshing) return !!known.refreshing;
  // The holder may prolong its lease, and releases it after that. Of two leases that were taken at once, all tabs prefer the same one.
  const { tab, late } = known.refreshing;
  return refreshing.tab === tab ? !!refreshing.late && !late : refreshing.tab < tab;
}

/** Whether `record` says that the session of `known` has ended. */
export const isEndOf = (known: LedgerRecord | undefined, record: LedgerRecord): boolean =>
  !!known?.signedIn && !record.signedIn && isNewer(record, known);

/** Returns the number of sessions, or of commits in one session, by which `one` is ahead of `other`. */
const gained = (one: LedgerRecord, other: LedgerRecord): number => one.epoch - other.epoch || one.version - other.version;

/** Returns the time of the last failure since the commit, or the end of the server's pause if that is later. */
const lastFailure = ({ failure, quietUntil }: LedgerRecord): number => Math.max(failure?.at ?? 0, quietUntil ?? 0);

/**
 * Whether `mine` is ahead of the stored record: by a session, by a commit, by the refresh token, by a failure, or by the lease of `tab`. `mine`
 * is the record of `tab`, whose storage had failed.
 */
export function isAhead(mine: LedgerRecord, known: LedgerRecord, tab: string): boolean {
  if (isEarlierEnd(mine, known)) return false;
  const same = sameCommit(mine, known);
  // The stored commit is the same one, or this tab made it. After another tab's commit, this tab's refresh token is a used one.
  const own = same || (mine.epoch === known.epoch && known.by === tab);
  if (own && known.renewedBy === "refreshToken" && !known.tokens?.refreshToken && mine.tokens?.refreshToken) return true;
  if (same && mine.refreshing?.tab === tab && !known.refreshing) return true;
  // The same commit may have a higher version, which alone is no progress.
  return same ? lastFailure(mine) > lastFailure(known) : gained(mine, known) > 0;
}

/** Keeps the numbers of the record from falling: of two commits that were made at once, the later one may have the lower numbers. */
const notBelow = (record: LedgerRecord, known: LedgerRecord | undefined): LedgerRecord => ({
  ...record,
  version: Math.max(record.version, known?.version ?? 0),
  fence: Math.max(record.fence, known?.fence ?? 0),
});

/** Returns the record that `tab` stores when storage answers again: with another tab's lease on the same commit, or else with the lease of `mine`. */
export function broughtBack(mine: LedgerRecord, known: LedgerRecord | undefined, tab: string): LedgerRecord {
  const theirs = sameCommit(mine, known) && known?.refreshing?.tab !== tab && known?.refreshing;
  return { ...notBelow(mine, known), refreshing: theirs || mine.refreshing };
}

/** Merges the `record` of a message into the record that `tab` knows. Returns undefined when the message brings nothing new. */
export function mergeHeard(record: LedgerRecord, known: LedgerRecord | undefined, tab: string): LedgerRecord | undefined {
  if (!known) return record;
  const same = sameCommit(record, known);
  // An echo is a renumbered commit, or an earlier commit of this tab. The known record has more, unless the message has a lease that this tab
  // does not know: a tab knows its own leases.
  const own = record.refreshing?.tab === tab && known.refreshing?.tab === tab && record.fence <= known.fence;
  const echo = same ? record.version > known.version && (own || !record.refreshing) : record.by === tab && record.epoch === known.epoch;
  // A message never has the refresh token.
  const tokens = ((echo || same) && known.tokens) || record.tokens;
  // The latest verdict of an API counts, also after later commits.
  let { uncured } = known;
  for (const [name, heard] of Object.entries(record.uncured ?? {}))
    if (heard && heard.at > (uncured?.[name]?.at ?? 0)) uncured = { ...uncured, [name]: heard };
  const told = record.epoch === known.epoch && uncured && { uncured };
  if (isNewer(record, known))
    return { ...(echo ? notBelow(known, record) : notBelow(record, known)), tokens, pendingKey: known.pendingKey, ...told };
  // The message brings the token of a known commit, or an API's verdict.
  return same && (tokens !== known.tokens || uncured !== known.uncured) ? { ...known, tokens, ...told } : undefined;
}

/** Returns a higher epoch, even after a clearing of storage. Two tabs that draw an epoch at the same time draw different numbers. */
export function nextEpoch(record: LedgerRecord | undefined, now: number, random: number): number {
  return Math.floor(Math.max((record?.epoch ?? 0) + 1, now)) + random / 2;
}
