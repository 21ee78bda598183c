export { isSessionError, SessionError, type SessionErrorCode, type SessionErrorDetails } from "./errors.js";
export type * from "./types.js";
