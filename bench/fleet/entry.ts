export { fleet } from "./main.js";
export { picture } from "./picture.js";
export { figuresOf, markdown } from "./report.js";
