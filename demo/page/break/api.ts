import { inSeconds, pause } from "../dom.js";
import { server } from "../server.js";
import { callApi } from "../session/calls.js";
import { tokenOf } from "../tabs/lane.js";
import { lanes } from "../tabs/lanes.js";
import { bad, calm, count, type Experiment, good, isNew, isSignedIn, openTabsInWords, watch } from "./experiment.js";

const CALLS = 3;
const TRIES = 3;

export const api: Experiment[] = [
  {
    id: "once",
    title: "401 from the API, once",
    should: () => "One refresh for all tabs, and the call is sent again with the new token; the caller sees only a 200.",
    async run() {
      for (let attempt = 1; ; attempt++) {
        await calm();
        const watched = watch();
        try {
          await server.expireAccessTokens();
          const sent = Date.now();
          const { statuses, duration } = await callApi();
          await watched.until(() => watched.all("token").length >= 2, 1500);
          const token = tokenOf(lanes.own);
          const refused = statuses.at(-1) !== 200;
          // Another renewal came in between. The token was then too new for one more, or the server did not refuse it.
          const crossed = refused ? token && isNew(token, sent) : statuses.length === 1;
          if (crossed && attempt < TRIES) continue;
          if (refused) return bad(`The call ended with ${statuses.join(", ")}.`);
          const refreshes = count(watched.all("refresh-started").length, "refresh").replace("refreshs", "refreshes");
          return good(`${statuses.join(", then ")} in ${inSeconds(duration)}: the caller saw 200. ${refreshes} for ${openTabsInWords()}.`);
        } finally {
          watched.stop();
        }
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
        const refreshes = watched.all("refresh-started").length;
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
