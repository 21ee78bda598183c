/** Where this page is, and what it is there for. */

/** The folder of the page: the origin's root, or wherever the static build lies. */
export const base = new URL(".", location.href.replace(/[?#].*$/, ""));
export const at = (path: string): string => new URL(path, base).href;

const parameters = new URL(location.href).searchParams;
/** One of the small tabs that are embedded in another one. */
export const framed = parameters.has("frame");
/** Nothing happens by itself: no sign-in, no embedded tabs, no calls. */
export const manual = parameters.has("manual");
/** Built with a back end of its own, which answers in the page. */
export const standalone = import.meta.env.MODE === "static";
