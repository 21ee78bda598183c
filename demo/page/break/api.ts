import { inSeconds, pause } from "../dom.js";
import { server } from "../server.js";
import { callApi } from "../session/calls.js";
import { bad, calm, count, type Experiment, good, isSignedIn, openTabsInWords, type Watch, watch } from "./experiment.js";

const CALLS = 3;
const TRIES = 3;

/** Makes the server refuse all tokens so far. One that it issued meanwhile would be too new to be renewed at once: then once more. */
async function expireTokens(): Promise<Watch> {
  for (let attempt = 1; ; attempt++) {
    await calm();
    const before = await server.state();
    const watched = watch();
    try {
      const after = await server.expireAccessTokens();
      if (after.stats.attempts === before.stats.attempts || attempt === TRIES) return watched;
    } catch (error) {
      watched.stop();
      throw error;
    }
    watched.stop();
  }
}

export const api: Experiment[] = [
  {
    id: "once",
    title: "401 from the API, once",
    should: () => "One refresh for all tabs, and the call is sent again with the new token; the caller sees only a 200.",
    async run() {
      const watched = await expireTokens();
      try {
        const call = await callApi();
        await watched.until(() => watched.all("token").length >= 2, 1500);
        const { statuses, duration } = call;
        if (statuses.at(-1) !== 200) return bad(`The call ended with ${statuses.join(", ")}.`);
        const sent = count(watched.all("sent").length, "refresh").replace("refreshs", "refreshes");
        return good(`${statuses.join(", then ")} in ${inSeconds(duration)}: the caller saw 200. ${sent} for ${openTabsInWords()}.`);
      } finally {
        watched.stop();
      }
    },
  },
  {
    id: "always",
    title: "401 from the API, always",
    should: () => "Each call is sent twice at most and then gets its 401; there is no loop, and nobody is signed out.",
    async run() {
      const watched = watch();
      try {
        await server.refuseCalls(true);
        const sends: number[] = [];
        for (let call = 0; call < CALLS; call++) {
          sends.push((await callApi()).statuses.length);
          await pause(600);
        }
        const refreshes = watched.all("sent").length;
        const most = Math.max(...sends);
        const fine = isSignedIn() && most <= 2;
        return (fine ? good : bad)(
          `${CALLS} calls, sent ${sends.join(", ")} times, each got its 401. Refreshes meanwhile: ${refreshes}. ${isSignedIn() ? "Still signed in." : "Signed out."}`,
        );
      } finally {
        watched.stop();
        await server.refuseCalls(false);
      }
    },
  },
];
