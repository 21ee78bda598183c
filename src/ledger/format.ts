import { isNumber, type LedgerRecord, members, recordChecks } from "./record.js";

/** The format of the record and of the messages in this release. See docs/decisions/0009-releases-live-side-by-side.md. */
export const FORMAT = 1;
/** A release of this format or a later one may still hand out the tokens of the record. */
const SERVED_FROM = 1;

/**
 * A record whose tokens are bound to a key has a format higher by this. So a release without `dpop`, and a session without that option, take it
 * for the record of a newer release: they hand out nothing, and renew nothing.
 */
const BOUND = 0.5;
/** The same for a record whose refresh token is a handle, which a session without `vault` would present to the server. */
const KEPT = 0.25;
/** The format of a record that a session with other options of this release may use. This release knows its form, so a sign-in may replace it. */
const OF_OTHER_OPTIONS = 2.5;

/** The records that a session can use beside the usual ones. */
export interface Reads {
  /** Those whose tokens are bound to a key: the session has the option `dpop`. */
  readonly bound?: boolean | undefined;
  /** Those whose refresh token is a handle: the strategy is `vault`. */
  readonly kept?: boolean | undefined;
}

/** The beginning of each handle. No server's refresh token begins so. */
export const HANDLE = "tokentide-handle:";

/** Whether the text stands for a refresh token that a worker keeps. */
export const isHandle = (refreshToken: string | undefined): boolean => !!refreshToken?.startsWith(HANDLE);

/** Returns the record from storage or from a channel, or undefined when the value is no record. */
export function parseRecord(value: unknown, { bound, kept }: Reads = {}): LedgerRecord | undefined {
  const record = value as LedgerRecord;
  const valid = !!members(recordChecks())(value);
  const format = isNumber(record?.format) ? record.format : 0;
  if (Math.floor(format) > FORMAT) return ofNewerRelease({ ...record, format: Math.ceil(format) }, valid);
  if ((format % 1 >= BOUND && !bound) || (format % BOUND && !kept)) return ofNewerRelease({ ...record, format: OF_OTHER_OPTIONS }, valid);
  return valid ? record : undefined;
}

/** Returns the part of a newer release's record that this release may use. No tab of this release can renew it. */
function ofNewerRelease(record: LedgerRecord, valid: boolean): LedgerRecord {
  const { format, servedFrom, epoch, version, signedIn, tokens } = record;
  const none = { fence: 0, by: "", signedInAt: 0, committedAt: 0, issuedAt: 0, expiresAt: null, lost: false };
  const known = {
    ...none,
    format,
    epoch: isNumber(epoch) ? epoch : 0,
    version: isNumber(version) ? version : 0,
    signedIn: signedIn !== false,
  };
  return {
    ...(valid && servedFrom! <= FORMAT ? { ...record, tokens: tokens && { ...tokens, refreshToken: undefined } } : known),
    ...{ final: true, renewedBy: undefined, dueAt: null, refreshing: undefined },
    failure: { code: "newer-release", attempt: 0, at: 0, retryAt: null },
  };
}

/** Whether a newer release, or a session with other options, wrote the record. Then this session writes nothing, and renews nothing. */
export const isNewerRelease = (record: LedgerRecord | undefined): boolean => Math.floor(record?.format ?? 0) > FORMAT;

/** Whether a session with other options wrote the record. A sign-in and a sign-out replace it. */
export const isOfOtherOptions = (record: LedgerRecord | undefined): boolean => record?.format === OF_OTHER_OPTIONS;

/** Whether `next` replaces the record of a session with other options. A sign-in and a sign-out do. */
export const replacesOther = (next: LedgerRecord | undefined, known: LedgerRecord | undefined): boolean =>
  isOfOtherOptions(known) && !isNewerRelease(next) && next!.epoch > known!.epoch;

/**
 * Returns the record with the format of this release. While a lease stands, the record keeps its format: the holder may be of an older release,
 * which would drop its answer, and the rotated token in it.
 */
export function stamped(record: LedgerRecord): LedgerRecord {
  const more = record.bound ? BOUND : 0;
  const format = FORMAT + more + (isHandle(record.tokens?.refreshToken) ? KEPT : 0);
  return record.refreshing && record.format ? record : { ...record, format, servedFrom: SERVED_FROM + more };
}
