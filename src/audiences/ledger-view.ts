import { lastRenewal } from "../ledger/facts.js";
import type { Ledger } from "../ledger/ledger.js";
import type { AudienceToken, LedgerRecord } from "../ledger/record.js";

/** A view of the ledger in which the token of one audience is the session's own. See docs/decisions/0006-audiences-share-the-transaction.md. */
export interface AudienceLedger {
  readonly ledger: Ledger;
  /** Returns the record as the view shows it. */
  project(record: LedgerRecord): LedgerRecord;
}

/** The entry before the first token. It has expired, and its lifetime of five minutes sets the pace of failed attempts. */
const NONE: AudienceToken = { issuedAt: -300_000, expiresAt: 0, dueAt: null, version: 0, at: 0 };

/** Returns the entry from storage or from another tab if it is well formed; otherwise `NONE`. */
function checked(found: AudienceToken | null | undefined): AudienceToken {
  const entry = found ?? NONE;
  const { accessToken = "x", issuedAt, expiresAt, dueAt, version, at, failure } = entry;
  const numbers = [
    issuedAt,
    version,
    at,
    expiresAt ?? 0,
    dueAt ?? 0,
    ...(failure ? [failure.attempt, failure.at, failure.retryAt ?? 0, failure.odd ?? 0] : []),
  ];
  return typeof accessToken === "string" && /^[!-~]+$/.test(accessToken) && numbers.every(Number.isFinite) ? entry : NONE;
}

export function audienceLedger(name: string, own: Ledger): AudienceLedger {
  let source: LedgerRecord | undefined;
  let shown: LedgerRecord | undefined;

  function project(record: LedgerRecord): LedgerRecord {
    if (record === source && shown) return shown;
    const { audiences, binding, ...tokens } = record.tokens ?? {};
    const { accessToken, scheme = "Bearer", issuedAt, expiresAt, dueAt, failure, version, at } = checked(audiences?.[name]);
    source = record;
    shown = {
      ...record,
      renewed: { version, at },
      issuedAt,
      expiresAt,
      dueAt,
      failure,
      uncured: { "": record.uncured?.[name] },
      tokens: record.tokens && { ...tokens, accessToken, binding: binding && { ...binding, scheme } },
    };
    return shown;
  }

  /** Returns the whole record after `next` of this audience. The session's own token stays; the new refresh token is for all audiences. */
  function merge(known: LedgerRecord, next: LedgerRecord): LedgerRecord {
    const { version, fence, by, committedAt, refreshing, lost, endsAt, quietUntil, final, renewedBy, tokens } = next;
    const { issuedAt, expiresAt, dueAt, failure, uncured, bound } = next;
    const { accessToken, refreshToken, binding } = tokens ?? {};
    // The session's own token is sent as before.
    const scheme = known.tokens?.binding?.scheme ?? "Bearer";
    const entry: AudienceToken = { accessToken, scheme: binding?.scheme, issuedAt, expiresAt, dueAt, failure, ...lastRenewal(next) };
    // When the server refuses the refresh token, no audience can renew.
    const refused = final && !known.final;
    return {
      ...known,
      ...{ version, fence, by, committedAt, refreshing, lost, endsAt, quietUntil, final, renewedBy, bound },
      ...(refused && { dueAt: null, failure }),
      renewed: lastRenewal(known),
      uncured: { ...known.uncured, [name]: uncured?.[""] },
      tokens: known.tokens && {
        ...known.tokens,
        refreshToken,
        binding: binding && { ...binding, scheme },
        audiences: { ...known.tokens.audiences, [name]: entry },
      },
    };
  }

  const ledger: Ledger = {
    get current() {
      return own.current && project(own.current);
    },
    get shared() {
      return own.shared;
    },
    get persistent() {
      return own.persistent;
    },
    read: own.read,
    mark: own.mark,
    receive: own.receive,
    reconnect: own.reconnect,
    close: own.close,
    async apply(transition, options) {
      const { record, outcome } = await own.apply((known, moment) => {
        const step = transition(known && project(known), moment);
        const { next } = step;
        return { ...step, next: known && next?.signedIn && next.epoch === known.epoch ? merge(known, next) : next };
      }, options);
      return { record: record && project(record), outcome };
    },
  };
  return { ledger, project };
}
