// What an app takes of the library: all of it is of one release.
export { audiences } from "../../../src/audiences/audiences.js";
export { dpop } from "../../../src/dpop/dpop.js";
export { createSession } from "../../../src/index.js";
export { FORMAT } from "../../../src/ledger/format.js";
export { idleLimit } from "../../../src/limits/idle.js";
export { maxAge } from "../../../src/limits/max-age.js";
export { memory } from "../../../src/session/memory.js";
export { renewalHeader } from "../../../src/session/renewal-header.js";
export { cookieSignIn } from "../../../src/sign-in/cookie-sign-in.js";
export { vault } from "../../../src/vault/vault.js";
