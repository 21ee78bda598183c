import { assertKnown } from "../errors.js";
import { authorizedFetch } from "../http/authorized-fetch.js";
import { planNext, usableUntil } from "../ledger/facts.js";
import type { LedgerChange } from "../ledger/ledger.js";
import { createRefresher } from "../refresh/refresher.js";
import { createCallTokens } from "../session/call-tokens.js";
import type { Follower, SessionContext } from "../session/context.js";
import { parseOrigin, wrong } from "../session/options.js";
import { createTokenSource, type TokenSourceParts } from "../session/token-source.js";
import type { Credential, View } from "../session/view.js";
import type { Audiences, GetTokenOptions } from "../types/index.js";
import { audienceLedger } from "./ledger-view.js";

export interface AudienceOptions {
  /**
   * The origins that get this token from `session.fetch`, such as `"https://api.example.com"`, without path or wildcard. None of them is in
   * `allowedOrigins` or in another audience. The array may be empty. @default the audience itself; the option is required when that is no origin
   */
  origins?: readonly string[];
  /** The parameters of the token request, such as `audience` or `scope`. @default `{ resource: audience }` (RFC 8707) */
  parameters?: Readonly<Record<string, string>>;
}

/** The members of `audiences` that only a session uses. */
export interface AudiencesPlugin extends Audiences {
  readonly option: "audiences";
  connect(context: SessionContext, parts: AudienceParts): AudienceSessions;
}

/** The modules of the session that an audience uses, besides the context. */
export interface AudienceParts {
  readonly view: View;
  readonly catchUp: TokenSourceParts["catchUp"];
  readonly restored: TokenSourceParts["restored"];
  /** Ends the session, since the app's `classify` returned `"sign-out"`. */
  end(): void;
}

export interface AudienceSessions extends Required<Follower> {
  getToken(options: GetTokenOptions): Promise<string | null>;
  /** Wraps a transport. The result attaches the token of the audience that has the origin. */
  wrap(transport: typeof fetch): typeof fetch;
  /** Renews for another tab, which cannot renew itself. */
  renew(audience: string): void;
}

interface Audience {
  readonly origins: ReadonlySet<string>;
  readonly parameters: Readonly<Record<string, string>>;
}

/** After a call has started a renewal ahead of expiry, the next calls start none for this time. */
const POSTPONED_MS = 5000;

/**
 * Makes the option `audiences`: further access tokens of the same session, one for each audience. The names of the audiences are the members of
 * `options`, and the values of `audience` in `getToken`. All audiences share the refresh token of the session, so there is one refresh at a
 * time, in all tabs. The session gets a token at its first use, and later calls renew it.
 *
 * The option needs `refresh: oauth2({ … })`, or a function of your own that uses `audience` and `parameters`.
 *
 * @throws {TypeError} when an option is wrong or unknown, and when two audiences have the same origin. The message names the option.
 */
export function audiences(options: Readonly<Record<string, AudienceOptions>>): Audiences {
  const all = new Map<string, Audience>();
  const taken = new Set<string>();
  for (const [name, audience] of Object.entries(options)) {
    const quoted = JSON.stringify(name);
    if (typeof audience !== "object" || !audience) wrong(quoted, "an object, such as {}", audience, "audiences");
    const { origins = [name], parameters = { resource: name } } = audience;
    assertKnown(`audiences: ${quoted}`, audience, { origins, parameters });
    if (!Array.isArray(origins)) wrong(`origins of ${quoted}`, "an array of strings", origins, "audiences");
    const parsed = new Set(origins.map((origin) => parseOrigin(origin, `origins of ${quoted}`, "audiences")));
    for (const origin of parsed) {
      if (taken.has(origin)) throw new TypeError(`audiences: two audiences have the origin ${origin}`);
      taken.add(origin);
    }
    all.set(name, { origins: parsed, parameters });
  }
  const plugin: AudiencesPlugin = {
    option: "audiences",
    connect(context, parts) {
      const { allowedOrigins, strategy } = context.settings;
      if (strategy.id && !strategy.takesAudience)
        throw new TypeError("audiences: refresh must be oauth2({ … }), or a function of your own");
      for (const origin of taken)
        if (allowedOrigins.has(origin))
          throw new TypeError(`audiences: ${origin} is one of allowedOrigins, which get the session's own token`);
      const sessions = new Map([...all].map(([name, audience]) => [name, connectOne(name, audience, context, parts)]));
      return connected(sessions);
    },
  };
  return plugin;
}

function connected(sessions: ReadonlyMap<string, ReturnType<typeof connectOne>>): AudienceSessions {
  return {
    async getToken({ audience = "", ...options }) {
      const session = sessions.get(audience);
      if (session) return session.source.getToken(options);
      throw new TypeError(`getToken: audience must be one of ${JSON.stringify([...sessions.keys()])}; it is ${JSON.stringify(audience)}`);
    },
    wrap: (transport) => [...sessions.values()].reduce((inner, { wrap }) => wrap(inner), transport),
    renew: (audience) =>
      void sessions
        .get(audience)
        ?.source.renew("unauthorized")
        .catch(() => {}),
    changed(change) {
      for (const { changed } of sessions.values()) changed(change);
    },
    stop(error) {
      for (const { refresher } of sessions.values()) refresher.stop(error);
    },
  };
}

/** Connects one audience: the modules of a session, over a view of the ledger in which the audience's token is the session's own. */
function connectOne(name: string, { origins, parameters }: Audience, own: SessionContext, parts: AudienceParts) {
  const { clock, settings, tabs, report, limits } = own;
  const { strategy } = settings;
  const { ledger, project } = audienceLedger(name, own.ledger);
  const context: SessionContext = {
    ...own,
    ledger,
    settings: {
      ...settings,
      strategy: { ...strategy, refresh: (context) => strategy.refresh({ ...context, audience: name, parameters }) },
    },
    tabs: { ...tabs, ask: (version) => tabs.ask(version, name) },
    report: {
      ...report,
      emit: (event, payload) => report.emit(event, { ...payload, audience: name } as never),
      debug: (type, details) => report.debug(type, { ...details, audience: name }),
    },
    // The session goes on without a token for this audience, since its own token may still be valid.
    limits: { ...limits, enforce: (transition) => (transition ? Promise.resolve() : limits.enforce()) },
  };
  const refresher = createRefresher(context);

  let credential: Credential | undefined;
  let notBefore = 0;
  const view: TokenSourceParts["view"] = {
    get snapshot() {
      return parts.view.snapshot;
    },
    get credential() {
      const record = parts.view.snapshot.status === "signed-in" ? ledger.current : undefined;
      const token = record?.tokens?.accessToken;
      if (!record || !token) credential = undefined;
      else if (token !== credential?.token || record.epoch !== credential.epoch)
        credential = { token, epoch: record.epoch, subject: parts.view.credential?.subject, binding: record.tokens?.binding };
      return credential;
    },
    get usableUntil() {
      return ledger.current ? usableUntil(ledger.current) : 0;
    },
    get dueAt() {
      const { current } = ledger;
      const plan = current?.tokens?.accessToken ? planNext(current, limits.endsAt(current)) : undefined;
      return plan?.action === "refresh" ? plan.at : Infinity;
    },
    isOfFormerUser: parts.view.isOfFormerUser,
    loseOwner() {},
  };
  const scheduler: TokenSourceParts["scheduler"] = {
    check() {
      if (clock.now() < notBefore) return;
      notBefore = clock.now() + POSTPONED_MS;
      refresher.refresh("due").catch(() => {});
    },
    stop() {},
  };
  const { catchUp, restored } = parts;
  const source = createTokenSource(context, { view, refresher, scheduler, catchUp, restored });
  const tokens = {
    ...createCallTokens(context, { view, refresher, source }),
    isOfFormerUser: parts.view.isOfFormerUser,
    carry: settings.dpop?.carry,
    end(refused: Credential) {
      if (credential === refused) parts.end();
    },
  };
  return {
    refresher,
    source,
    changed: ({ record, ...change }: LedgerChange) => refresher.changed({ ...change, record: project(record) }),
    wrap: (transport: typeof fetch) =>
      authorizedFetch(tokens, { ...context.settings, allowedOrigins: origins, report: context.report }, transport),
  };
}
