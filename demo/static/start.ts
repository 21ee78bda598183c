import { setupWorker } from "msw/browser";
import { at, base } from "../page/place.js";
import { handlers } from "./handlers.js";

/** Milliseconds. Browsers end an idle service worker after a longer time. */
const EVERY = 5000;

/** Starts the back end: the handlers in this page answer the page's requests from now on. */
export async function startBackEnd(): Promise<void> {
  if (!("serviceWorker" in navigator)) throw new Error("This page needs a service worker: open it over https, or from localhost.");
  const worker = setupWorker(...handlers);
  await worker.start({
    quiet: true,
    onUnhandledRequest: "bypass",
    serviceWorker: { url: at("mockServiceWorker.js"), options: { scope: base.pathname } },
  });
  // A service worker that starts again has forgotten its pages, and would send their requests to the network.
  const introduce = () => navigator.serviceWorker.controller?.postMessage("MOCK_ACTIVATE");
  setInterval(introduce, EVERY);
  document.addEventListener("visibilitychange", introduce);
}
