export { KINDS } from "./plan.js";
export { simulate } from "./simulate.js";
