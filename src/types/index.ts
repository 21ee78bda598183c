export type * from "./dpop.js";
export type * from "./environment.js";
export type * from "./options.js";
export type * from "./session.js";
export type * from "./strategy.js";
export type * from "./tokens.js";
