import type { DebugEvent } from "../../src/index.js";
import type { Tab } from "../browser/harness/chromium.js";

/** What happened in a tab since it was last asked. */
export interface Harvest {
  signedIn: boolean;
  heard: string[];
  decisions: DebugEvent[];
  apiOk: number;
  apiFailures: string[];
  /** Milliseconds each; one that has not ended yet is told when it has. */
  spans: number[];
  /** Milliseconds in which the tab was signed in. */
  watched: number;
}

declare global {
  /** In the page. */
  var watch: { spans: number[]; watched: number; since: number | null; last: number };
}

const LOOK_EVERY = 50;

/** Starts to look, in the page, at whether there is a fresh token. */
export function startWatch(tab: Tab): Promise<void> {
  return tab.run((every) => {
    globalThis.watch = { spans: [], watched: 0, since: null, last: performance.now() };
    const { watch } = globalThis;
    setInterval(() => {
      const now = performance.now();
      const signedIn = app.session.getSnapshot().status === "signed-in";
      if (signedIn) watch.watched += now - watch.last;
      watch.last = now;
      if (signedIn && app.session.peekToken() === null) {
        watch.since ??= now;
      } else if (watch.since !== null) {
        watch.spans.push(now - watch.since);
        watch.since = null;
      }
    }, every);
  }, LOOK_EVERY);
}

/** Takes what has been gathered, so that it does not fill the page's memory. With `last`, a span that has not ended counts as it stands. */
export function harvest(tab: Tab, last = false): Promise<Harvest> {
  return tab.run((ending) => {
    const { spans, watched, since } = watch;
    if (ending && since !== null) spans.push(performance.now() - since);
    const taken = {
      signedIn: app.session.getSnapshot().status === "signed-in",
      heard: app.heard.splice(0),
      decisions: app.decisions.splice(0),
      apiOk: app.api.ok,
      apiFailures: app.api.failures.splice(0),
      spans: spans.splice(0),
      watched,
    };
    app.api.ok = 0;
    watch.watched = 0;
    return taken;
  }, last);
}
