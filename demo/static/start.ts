import { setupWorker } from "msw/browser";
import { at, base } from "../page/place.js";
import { handlers } from "./handlers.js";

/** Well within the time after which a browser ends an idle service worker. */
const EVERY = 5000;

/** From now on the requests of this page are answered by the handlers in it. */
export async function startBackEnd(): Promise<void> {
  if (!("serviceWorker" in navigator)) throw new Error("This page needs a service worker: open it over https, or from localhost.");
  const worker = setupWorker(...handlers);
  await worker.start({
    quiet: true,
    onUnhandledRequest: "bypass",
    serviceWorker: { url: at("mockServiceWorker.js"), options: { scope: base.pathname } },
  });
  // A worker that the browser has ended starts anew without knowing its pages, and would let their requests through.
  const introduce = () => navigator.serviceWorker.controller?.postMessage("MOCK_ACTIVATE");
  setInterval(introduce, EVERY);
  document.addEventListener("visibilitychange", introduce);
}
