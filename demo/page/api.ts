import { element, onClick, setText } from "./dom.js";
import { session } from "./session.js";

const EVERY = 5000;
const serial = element("serial");
const keepCalling = element<HTMLInputElement>("keep-calling");

/** Calls the API as an app would: with `session.fetch`, and without a thought about tokens. */
async function callApi(): Promise<void> {
  if (session.getSnapshot().status !== "signed-in") return;
  try {
    const response = await session.fetch("/api/me");
    // Read in any case: the browser reports a request only when its answer has been read to the end.
    const me = (await response.json()) as { serial?: number };
    if (me.serial !== undefined) setText(serial, `number ${me.serial}`);
  } catch {
    // No answer at all: the list of requests shows it.
  }
}

export function useApi(): void {
  onClick("call", callApi);
  void session.ready.then(callApi);
  session.on("signed-in", callApi);
  session.on("refreshed", callApi);
  setInterval(() => {
    if (keepCalling.checked) void callApi();
  }, EVERY);
}
