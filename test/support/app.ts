import type { WorldTab } from "../../src/testing/world.js";
import type { DebugEvent, Session, SessionEvents, SessionOptions } from "../../src/types/index.js";

type EventName = keyof SessionEvents;

export interface Heard {
  readonly event: EventName;
  readonly payload: unknown;
  /** The tab's wall clock. */
  readonly at: number;
}

const EVENTS: EventName[] = [
  "signed-in",
  "refreshed",
  "refresh-failed",
  "claims-changed",
  "user-changed",
  "idle-warning",
  "idle-cancelled",
  "signed-out",
];

export type CreateSession = (options: SessionOptions) => Session;

/** One tab with a session in it, and everything that it let anybody know. */
export class App {
  readonly tab: WorldTab;
  /** The session as it is. */
  readonly bare: Session;
  /** The same session; what it rejects with is kept in `failures`. */
  readonly session: Session;
  readonly heard: Heard[] = [];
  readonly debug: DebugEvent[] = [];
  readonly failures: unknown[] = [];

  constructor(create: CreateSession, tab: WorldTab, options: SessionOptions) {
    this.tab = tab;
    this.bare = create({
      environment: tab.environment,
      debug: (event) => this.debug.push(event),
      ...options,
    });
    for (const event of EVENTS) {
      this.bare.on(event, (payload) => this.heard.push({ event, payload, at: tab.environment.now() }));
    }
    this.session = this.#recording(this.bare);
  }

  /** The names of the events so far, in order. */
  events(): EventName[] {
    return this.heard.map(({ event }) => event);
  }

  payloads<E extends EventName>(event: E): SessionEvents[E][] {
    return this.heard.filter((heard) => heard.event === event).map(({ payload }) => payload as SessionEvents[E]);
  }

  count(event: EventName): number {
    return this.payloads(event).length;
  }

  status(): string {
    const { status, reason } = this.bare.getSnapshot();
    return reason ? `${status}: ${reason}` : status;
  }

  #recording(session: Session): Session {
    return new Proxy(session, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return (...given: unknown[]) => {
          const result: unknown = member.apply(target, given);
          if (result instanceof Promise) result.catch((error: unknown) => this.failures.push(error));
          return result;
        };
      },
    });
  }
}
