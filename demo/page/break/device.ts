import { inSeconds, pause } from "../dom.js";
import { callApi } from "../session/calls.js";
import { session } from "../session/current.js";
import { loseNetwork, setClock } from "../session/environment.js";
import { block } from "../tabs/absence.js";
import { lanes } from "../tabs/lanes.js";
import { lookAtServer } from "../view/truth.js";
import { ask, bad, type Experiment, good, isSignedIn, openTabsInWords, recovered, watch } from "./experiment.js";

const OFFLINE = 6000;
const BLOCKED = 10_000;
const HOUR = 3_600_000;

export const device: Experiment[] = [
  {
    id: "offline",
    title: "Offline for 6 seconds",
    should: () => "Calls fail as they do offline, nobody is signed out, and the session is renewed the moment the network is back.",
    async run() {
      const watched = watch();
      try {
        loseNetwork(OFFLINE);
        await ask();
        await pause(OFFLINE - watched.elapsed());
        const back = Date.now();
        const renewed = await recovered(watched, 10_000);
        if (!renewed || !isSignedIn()) return bad("The session was not renewed within 10 s.");
        return good(
          `Offline, ${openTabsInWords()} stayed signed in; a new token came ${inSeconds(Date.now() - back)} after the network did.`,
        );
      } finally {
        watched.stop();
      }
    },
  },
  {
    id: "clock",
    title: "This tab’s clock an hour ahead",
    should: () =>
      "One early refresh at most, then all tabs agree on one clock: no loop, and nobody is signed out. After 8 s it is set back.",
    async run() {
      const before = (await lookAtServer()).stats;
      try {
        lanes.write({ kind: "note", at: Date.now(), text: "clock +1 h" });
        setClock(HOUR);
        await callApi();
        await pause(8000);
      } finally {
        setClock(0);
        lanes.write({ kind: "note", at: Date.now(), text: "clock set back" });
      }
      await callApi();
      await pause(1000);
      const after = (await lookAtServer()).stats;
      const refreshes = after.refreshes - before.refreshes;
      const text = `${refreshes} refreshes in 9 s, ${after.reused - before.reused} tokens reused; ${openTabsInWords()} signed in and agreed on the time.`;
      return (isSignedIn() && after.reused === before.reused ? good : bad)(text);
    },
  },
  {
    id: "blocked",
    title: "Main thread blocked for 10 seconds",
    should: () =>
      "This page stands still, and its embedded tabs with it; other tabs go on, and when it is back the first call has a fresh token.",
    inPage: "Its own server stands still too: it runs in this page.",
    async run() {
      // The browser needs this time to draw the pressed button.
      await pause(100);
      block(BLOCKED);
      const call = await callApi();
      const { expiresAt } = session().getSnapshot();
      const fresh = expiresAt === null || expiresAt > Date.now();
      const waited = call.waited !== null && call.waited > 25 ? `waited ${inSeconds(call.waited)} for a token and ` : "";
      return (call.statuses.at(-1) === 200 && fresh ? good : bad)(
        `Back after 10 s: the first call ${waited}got ${call.statuses.at(-1)}. The session is fresh.`,
      );
    },
  },
];
