import { config } from "../config.js";
import { pause } from "../dom.js";
import { at } from "../place.js";
import { callApi } from "../session/calls.js";
import { session } from "../session/current.js";
import { isBound } from "../session/setup.js";
import { spyOnFetch } from "../session/spy.js";
import { apiAccepts, canCopyKey, type Loot, renewsElsewhere, stolenTokens, storedTokens, useStolen } from "../session/theft.js";
import { wayOf } from "../session/ways.js";
import { signIn } from "../sign-in.js";
import { lanes } from "../tabs/lanes.js";
import { lookAtServer } from "../view/truth.js";
import { ask, bad, calm, count, type Experiment, good, isSignedIn, openTabsInWords, outEverywhere, watch } from "./experiment.js";

/** The places of a token that the script has found, in words. */
function found(name: string, token: string | undefined, places: Readonly<Record<string, Loot>>, member: keyof Loot): string {
  const names = Object.entries(places).flatMap(([place, loot]) => (token !== undefined && loot[member] ? place : []));
  return `${name}: ${names.length > 0 ? `in ${names.join(" and in ")}` : "nowhere"}.`;
}

const inWords = (accepted: boolean) => (accepted ? "accepted" : "refused");

export const theft: Experiment[] = [
  {
    id: "steal",
    title: "Steal the refresh token and use it",
    should() {
      const { stealable, rotates } = wayOf(config().way);
      if (isBound(config())) return "The server refuses the thief, who does not have the key, and nobody is signed out.";
      if (!stealable) return "There is nothing to steal: what renews this session is in an HttpOnly cookie, which no script can read.";
      return rotates
        ? "The thief’s use makes the owner’s next one a reuse: the server ends the session, for the thief as well."
        : "Nobody notices: a token that slides is not used up, so the thief’s copy renews beside the owner’s until the session is revoked.";
    },
    async run() {
      const { stealable, rotates, folder } = wayOf(config().way);
      const bound = isBound(config());
      // No renewal may use the refresh token up before the thief does.
      await calm();
      const stolen = await stolenTokens();
      if (!stolen) return (stealable ? bad : good)("Script in this page looked everywhere it can, and found nothing that renews.");
      const watched = watch();
      const before = (await lookAtServer()).stats;
      try {
        const bearer = await useStolen(stolen).catch((error: unknown) => {
          if (!bound) throw error;
        });
        lanes.write({ kind: "note", at: Date.now(), text: "token stolen and used" });
        await pause(800);
        await ask();
        if (rotates && !bound) await outEverywhere(watched);
        const after = (await lookAtServer()).stats;
        if (bearer === undefined) {
          const fine = isSignedIn() && after.reused === before.reused;
          return (fine ? good : bad)(
            `The server refused the thief. ${isSignedIn() ? `The owner renewed, and ${openTabsInWords()} stayed signed in.` : "The owner is signed out."}`,
          );
        }
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
    id: "copy",
    title: "Steal what script can read",
    should() {
      const { stealable } = wayOf(config().way);
      if (isBound(config()))
        return "Script reads both tokens and cannot copy the key: the API and the token endpoint refuse them elsewhere.";
      return stealable
        ? "Script reads all tokens, and the API and the token endpoint accept them elsewhere."
        : "Script reads the access token, which the API accepts elsewhere. It cannot read the cookie that renews.";
    },
    async run() {
      const { stealable, rotates } = wayOf(config().way);
      const bound = isBound(config());
      const subject = session().getSnapshot().claims?.sub ?? "ada";
      // No other renewal may use the refresh token up before the thief does.
      await calm();
      const spy = spyOnFetch();
      try {
        await callApi();
        await ask();
      } finally {
        spy.stop();
      }
      const stored = await storedTokens();
      const keyCopied = stored !== undefined && (await canCopyKey(stored));
      const places = { storage: stored ?? {}, "a replaced fetch": spy.seen };
      const accessToken = stored?.accessToken ?? spy.seen.accessToken;
      const refreshToken = stored?.refreshToken ?? spy.seen.refreshToken;
      if (accessToken === undefined) return bad("Script found no token.");
      const api = await apiAccepts(accessToken, spy.proofs);
      const renewal =
        stealable && (await renewsElsewhere({ accessToken, ...(refreshToken !== undefined && { refreshToken }) }, spy.proofs));
      // The thief has used the refresh token up, so the owner's next use would end the session.
      if (renewal && rotates) await signIn(subject);
      const asExpected = api === !bound && renewal === (stealable && !bound) && !keyCopied && isSignedIn();
      return (asExpected ? good : bad)(
        [
          found("Access token", accessToken, places, "accessToken"),
          ...(rotates ? [found("Refresh token", refreshToken, places, "refreshToken")] : []),
          ...(bound ? [keyCopied ? "The key was copied." : "The key could not be copied."] : []),
          `Elsewhere, the API: ${inWords(api)}.`,
          stealable ? `Elsewhere, the token endpoint: ${inWords(renewal)}.` : "Elsewhere, the token endpoint: nothing to send.",
        ].join(" "),
      );
    },
  },
];
