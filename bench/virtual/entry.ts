export { energy } from "./energy.js";
export { rotations } from "./rotations.js";
