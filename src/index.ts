export { isSessionError, SessionError, type SessionErrorCode, type SessionErrorDetails } from "./errors.js";
export { browserEnvironment } from "./platform/browser.js";
export type { Channel, Environment, PageSignal, Store } from "./platform/environment.js";
export { createSession } from "./session/session.js";
export { type OAuth2Options, oauth2 } from "./strategies/oauth2.js";
export type * from "./types.js";
