import { inSeconds, pause } from "../dom.js";
import { otherThan, people } from "../people.js";
import { server } from "../server.js";
import { callApi } from "../session/calls.js";
import { session } from "../session/current.js";
import { say } from "../tabs/channel.js";
import { embedTab } from "../tabs/frames.js";
import { titleOf } from "../tabs/lane.js";
import { lanes } from "../tabs/lanes.js";
import { bad, count, type Experiment, good, isSignedIn, openTabsInWords, outEverywhere, watch } from "./experiment.js";
import { theft } from "./theft.js";

export const sessions: Experiment[] = [
  {
    id: "revoke",
    title: "Revoke the session at the server",
    should: () => "The next call finds out, and every tab is signed out with the reason.",
    async run() {
      const watched = watch();
      try {
        await server.revoke(session().getSnapshot().claims?.sub ?? "");
        const revoked = Date.now();
        await callApi();
        await outEverywhere(watched);
        const reason = watched.all("signed out").at(-1)?.reason;
        if (isSignedIn()) return bad("This tab is still signed in.");
        return good(
          `${count(watched.all("signed out").length, "tab")} signed out within ${inSeconds(Date.now() - revoked)}, with reason “${reason}”.`,
        );
      } finally {
        watched.stop();
      }
    },
  },
  {
    id: "other",
    title: "Sign in as someone else in another tab",
    should: () => "All tabs stay signed in, as the new user, and each app hears of it once to clear what belonged to the former one.",
    async run() {
      let other = lanes.open().find(({ here }) => !here);
      if (!other) {
        embedTab();
        await pause(1500);
        other = lanes.open().find(({ here }) => !here);
      }
      if (!other) return bad("There is no other tab.");
      const watched = watch();
      try {
        const subject = otherThan(session().getSnapshot().claims?.sub);
        say({ type: "sign-in", id: other.head.id, subject });
        const asked = Date.now();
        const came = await watched.until(
          () => session().getSnapshot().claims?.sub === subject && watched.all("user").length >= lanes.open().length,
          6000,
        );
        if (!came && session().getSnapshot().claims?.sub !== subject) return bad(`${titleOf(other)} did not sign in.`);
        return good(
          `${titleOf(other)} signed in as ${people[subject]}; ${openTabsInWords()} heard “user-changed” within ${inSeconds(Date.now() - asked)}.`,
        );
      } finally {
        watched.stop();
      }
    },
  },
  ...theft,
];
