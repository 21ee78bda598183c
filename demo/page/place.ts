/** The page's address, and its modes. */

/** The folder of the page: the root of the origin, or the folder of the static build. */
export const base = new URL(".", location.href.replace(/[?#].*$/, ""));
export const at = (path: string): string => new URL(path, base).href;

const parameters = new URL(location.href).searchParams;
/** Whether this page is embedded in another tab of the demo. */
export const framed = parameters.has("frame");
/** Whether the page does nothing by itself: it makes no sign-in, no embedded tabs and no calls. */
export const manual = parameters.has("manual");
/** Whether the page was built with a back end that runs in the page. */
export const standalone = import.meta.env.MODE === "static";
