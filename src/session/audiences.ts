import type { SessionError } from "../errors.js";
import { authorizedFetch } from "../http/authorized-fetch.js";
import type { LedgerRecord } from "../ledger/record.js";
import type { RefresherParts } from "../refresh/parts.js";
import { createRefresher, type Refresher } from "../refresh/refresher.js";
import { planNext, usableUntil } from "../refresh/scheduler.js";
import type { GetTokenOptions } from "../types.js";
import { type AccessParts, createAccess } from "./access.js";
import { createAudienceLedger } from "./audience-ledger.js";
import type { Settings } from "./options.js";
import type { Credential } from "./state.js";

export interface AudienceOptions {
  /** The origins to which `session.fetch` sends this token; none of `allowedOrigins`. @default the audience's own, if it is an http or https URL */
  origins?: readonly string[];
  /** How the server is asked for it: `audience`, `scope`, … @default `resource` (RFC 8707), the audience */
  parameters?: Readonly<Record<string, string>>;
}

/** Made by `audiences`. */
export interface Audiences {
  /** @internal */
  connect(parts: AudienceParts): AudienceSessions;
}

/** What it needs of the session. */
export interface AudienceParts {
  readonly settings: Settings;
  readonly refresher: RefresherParts;
  readonly access: AccessParts;
  /** Asks the other tabs for tokens of this version or a later one, and for this audience's. */
  ask(version: number, audience: string): void;
  /** An attempt for this audience failed. */
  failed(audience: string, error: SessionError, attempt: number, retryAt: number | null): void;
  /** The app's `classify` says that the session is over. */
  end(): void;
}

export interface AudienceSessions {
  getToken(options: GetTokenOptions): Promise<string | null>;
  /** Attaches the token of the audience that an origin belongs to. */
  wrap(transport: typeof fetch): typeof fetch;
  /** Another tab, which cannot renew, needs a token. */
  renew(audience: string): void;
  /** Whether one of them has the lock. */
  readonly holding: boolean;
  /** The ledger changed. */
  seen(record: LedgerRecord): void;
  stop(error: SessionError): void;
}

interface Audience {
  readonly origins: ReadonlySet<string>;
  readonly parameters: Readonly<Record<string, string>>;
}

/** A renewal ahead of expiry that came to nothing is not asked for again by each call. */
const POSTPONED = 5000;

/**
 * Further access tokens of the same session, one for each audience, got with the refresh token that they share: one refresh at a time,
 * whichever tab and audience it is for. A token is got when it is first needed, and renewed by the calls that use it.
 *
 * @throws {TypeError} when an option is wrong; the message names it.
 */
export function audiences(options: Readonly<Record<string, AudienceOptions>>): Audiences {
  const all = new Map<string, Audience>();
  const taken = new Set<string>();
  for (const [name, { origins = ownOrigin(name), parameters = { resource: name } }] of Object.entries(options)) {
    const parsed = new Set(origins.map((origin) => parseOrigin(name, origin)));
    for (const origin of parsed) {
      if (taken.has(origin)) throw new TypeError(`audiences: two audiences have the origin ${origin}`);
      taken.add(origin);
    }
    all.set(name, { origins: parsed, parameters });
  }
  return {
    connect(parts) {
      const { allowedOrigins, strategy } = parts.settings;
      if (strategy.id && !strategy.takesAudience)
        throw new TypeError("audiences: refresh must be oauth2({ … }), or a function of your own");
      for (const origin of taken)
        if (allowedOrigins.has(origin))
          throw new TypeError(`audiences: ${origin} is one of allowedOrigins, which get the session's own token`);
      return connect(all, parts);
    },
  };
}

function ownOrigin(name: string): string[] {
  return /^https?:/.test(name) ? [name] : [];
}

function parseOrigin(name: string, origin: string): string {
  try {
    const { origin: parsed, protocol } = new URL(origin);
    if (/^https?:$/.test(protocol)) return parsed;
  } catch {}
  throw new TypeError(`audiences: origins of ${JSON.stringify(name)} must be http or https origins; one is ${JSON.stringify(origin)}`);
}

function connect(all: ReadonlyMap<string, Audience>, parts: AudienceParts): AudienceSessions {
  const sessions = new Map([...all].map(([name, audience]) => [name, connectOne(name, audience, parts)]));
  const refreshers = () => [...sessions.values()].map(({ refresher }) => refresher);
  return {
    async getToken({ audience = "", ...options }) {
      const session = sessions.get(audience);
      if (session) return session.access.getToken(options);
      throw new TypeError(`getToken: audience must be one of ${JSON.stringify([...all.keys()])}; it is ${JSON.stringify(audience)}`);
    },
    wrap: (transport) => [...sessions.values()].reduce((inner, { wrap }) => wrap(inner), transport),
    renew: (audience) =>
      void sessions
        .get(audience)
        ?.access.renew("unauthorized")
        .catch(() => {}),
    get holding() {
      return refreshers().some(({ holding }) => holding);
    },
    seen(record) {
      for (const { seen } of sessions.values()) seen(record);
    },
    stop(error) {
      for (const refresher of refreshers()) refresher.stop(error);
    },
  };
}

/** What the session is for its own token, for one audience: the same refresher and the same access, over a ledger that shows this token. */
function connectOne(name: string, { origins, parameters }: Audience, { settings, access: own, ...parts }: AudienceParts) {
  const { clock, strategy } = parts.refresher;
  const debug: RefresherParts["debug"] = (type, details) => parts.refresher.debug(type, { ...details, audience: name });
  const { ledger, project } = createAudienceLedger(name, parts.refresher.ledger);
  const refresher: Refresher = createRefresher({
    ...parts.refresher,
    ledger,
    strategy: { ...strategy, refresh: (context) => strategy.refresh({ ...context, audience: name, parameters }) },
    ask: (version) => parts.ask(version, name),
    failed: (error, attempt, retryAt) => parts.failed(name, error, attempt, retryAt),
    debug,
  });

  let credential: Credential | undefined;
  let notBefore = 0;
  const access = createAccess({
    ...own,
    ledger,
    refresher,
    state: {
      get snapshot() {
        return own.state.snapshot;
      },
      get credential() {
        const record = own.state.snapshot.status === "signed-in" ? ledger.current : undefined;
        const token = record?.tokens?.accessToken;
        if (!record || !token) credential = undefined;
        else if (token !== credential?.token || record.epoch !== credential.epoch)
          credential = { token, epoch: record.epoch, subject: own.state.credential?.subject };
        return credential;
      },
      get usableUntil() {
        return ledger.current ? usableUntil(ledger.current) : 0;
      },
      get dueAt() {
        const plan = ledger.current?.tokens?.accessToken ? planNext(ledger.current, settings.maxAge) : undefined;
        return plan?.action === "refresh" ? plan.at : Infinity;
      },
      lose() {},
    },
    scheduler: {
      check() {
        if (clock.now() < notBefore) return;
        notBefore = clock.now() + POSTPONED;
        refresher.refresh("due").catch(() => {});
      },
      stop() {},
    },
    // It only ever looks: that this token is not to be had does not end the session, whose own token may still serve.
    look: (change) => (change ? Promise.resolve() : own.look()),
  });

  const bearer = {
    ...own,
    ...access,
    end(refused: Credential) {
      if (credential === refused) parts.end();
    },
    debug,
  };
  return {
    refresher,
    access,
    seen: (record: LedgerRecord) => refresher.seen(project(record)),
    wrap: (transport: typeof fetch) =>
      authorizedFetch(bearer, { ...settings, allowedOrigins: origins, renewalHeader: undefined }, transport),
  };
}
