import { config } from "../config.js";
import { inSeconds, pause } from "../dom.js";
import { otherThan, people } from "../people.js";
import { at } from "../place.js";
import { server } from "../server.js";
import { callApi } from "../session/calls.js";
import { session } from "../session/current.js";
import { stolenTokens, useStolen } from "../session/theft.js";
import { wayOf } from "../session/ways.js";
import { say } from "../tabs/channel.js";
import { embedTab } from "../tabs/frames.js";
import { titleOf } from "../tabs/lane.js";
import { lanes } from "../tabs/lanes.js";
import { lookAtServer } from "../view/truth.js";
import { ask, bad, calm, count, type Experiment, good, isSignedIn, openTabsInWords, type Watch, watch } from "./experiment.js";

const outEverywhere = (watched: Watch) => watched.until(() => watched.all("signed out").length >= lanes.open().length, 8000);

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
    id: "steal",
    title: "Steal the refresh token and use it",
    should() {
      const { stealable, rotates } = wayOf(config().way);
      if (!stealable) return "There is nothing to steal: what renews this session is in an HttpOnly cookie, which no script can read.";
      return rotates
        ? "The thief’s use makes the owner’s next one a reuse: the server ends the session, for the thief as well."
        : "Nobody notices: a token that slides is not used up, so the thief’s copy renews beside the owner’s until the session is revoked.";
    },
    async run() {
      const { stealable, rotates, folder } = wayOf(config().way);
      // No renewal may use the refresh token up before the thief does.
      await calm();
      const stolen = await stolenTokens();
      if (!stolen) return (stealable ? bad : good)("Script in this page looked everywhere it can, and found nothing that renews.");
      const watched = watch();
      const before = (await lookAtServer()).stats;
      try {
        const bearer = await useStolen(stolen);
        lanes.write({ kind: "note", at: Date.now(), text: "token stolen and used" });
        await pause(800);
        await ask();
        if (rotates) await outEverywhere(watched);
        const after = (await lookAtServer()).stats;
        const thief = await fetch(at(`${folder}api/me`), { headers: { authorization: `Bearer ${bearer}` } });
        if (!rotates) {
          return (isSignedIn() ? good : bad)(
            `Both go on: the owner is signed in, and the thief’s token gets ${thief.status}. A server that wants to notice has to rotate.`,
          );
        }
        if (isSignedIn()) return bad("The theft went unnoticed.");
        return good(
          `The server saw one refresh token twice (reused: ${after.reused - before.reused}) and revoked the session: ${count(watched.all("signed out").length, "tab")} signed out, and the thief’s token gets ${thief.status}.`,
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
];
