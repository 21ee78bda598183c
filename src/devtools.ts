export { type DevtoolsOptions, mountDevtools } from "./devtools/panel.js";
export { traceToPerformancePanel } from "./devtools/performance-panel.js";
