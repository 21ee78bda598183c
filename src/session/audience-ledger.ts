import { type AudienceToken, type LedgerRecord, lastRenewal } from "../ledger/record.js";
import type { Ledger } from "../ledger/types.js";

/** The ledger, as if the token of one audience were the session's own. */
export interface AudienceLedger {
  readonly ledger: Pick<Ledger, "current" | "shared" | "update" | "look">;
  /** The record as that ledger shows it. */
  project(record: LedgerRecord): LedgerRecord;
}

/** Before the first one: long expired, at the end of a life that sets the pace of attempts that fail. */
const NONE: AudienceToken = { issuedAt: -300_000, expiresAt: 0, dueAt: null, version: 0, at: 0 };

/** What came from storage, or from another tab, is used only if it is what it should be. */
function checked(found: AudienceToken | null | undefined): AudienceToken {
  const entry = found ?? NONE;
  const { accessToken = "x", issuedAt, expiresAt, dueAt, version, at, failure } = entry;
  const numbers = [
    issuedAt,
    version,
    at,
    expiresAt ?? 0,
    dueAt ?? 0,
    ...(failure ? [failure.attempt, failure.at, failure.retryAt ?? 0] : []),
  ];
  return typeof accessToken === "string" && /^[!-~]+$/.test(accessToken) && numbers.every(Number.isFinite) ? entry : NONE;
}

export function createAudienceLedger(name: string, ledger: AudienceLedger["ledger"]): AudienceLedger {
  let source: LedgerRecord | undefined;
  let shown: LedgerRecord | undefined;

  function project(record: LedgerRecord): LedgerRecord {
    if (record === source && shown) return shown;
    const { audiences, ...tokens } = record.tokens ?? {};
    const { accessToken, issuedAt, expiresAt, dueAt, failure, version, at } = checked(audiences?.[name]);
    source = record;
    shown = {
      ...record,
      renewed: { version, at },
      issuedAt,
      expiresAt,
      dueAt,
      failure,
      tokens: record.tokens && { ...tokens, accessToken },
    };
    return shown;
  }

  /** What a refresh for this audience made of the record: the session's own token stays, and the refresh token is the new one for all. */
  function merge(known: LedgerRecord, next: LedgerRecord): LedgerRecord {
    const { version, fence, by, committedAt, refreshing, lost, endsAt, final, renewedBy, issuedAt, expiresAt, dueAt, failure, tokens } =
      next;
    const entry: AudienceToken = { accessToken: tokens?.accessToken, issuedAt, expiresAt, dueAt, failure, ...lastRenewal(next) };
    // A refresh token that was refused is refused for all.
    const refused = final && !known.final;
    return {
      ...known,
      ...{ version, fence, by, committedAt, refreshing, lost, endsAt, final, renewedBy },
      ...(refused && { dueAt: null, failure }),
      renewed: lastRenewal(known),
      tokens: known.tokens && {
        ...known.tokens,
        refreshToken: tokens?.refreshToken,
        audiences: { ...known.tokens.audiences, [name]: entry },
      },
    };
  }

  return {
    project,
    ledger: {
      get current() {
        return ledger.current && project(ledger.current);
      },
      get shared() {
        return ledger.shared;
      },
      look: ledger.look,
      async update(change, quiet) {
        const record = await ledger.update((known) => {
          const next = change(known && project(known));
          return known && next?.signedIn && next.epoch === known.epoch ? merge(known, next) : next;
        }, quiet);
        return record && project(record);
      },
    },
  };
}
