export { FEATURES, OWED_FEATURES } from "./features/names.js";
export { KINDS, NAMES } from "./plan.js";
export { simulate } from "./simulate.js";
