import { config, graceOf } from "../config.js";
import { inSeconds } from "../dom.js";
import { server, type TokenFault } from "../server.js";
import { callApi } from "../session/calls.js";
import { wayOf } from "../session/ways.js";
import { lastWhere } from "../tabs/lane.js";
import {
  ask,
  bad,
  calm,
  count,
  type Experiment,
  good,
  isSignedIn,
  type Outcome,
  openTabsInWords,
  recovered,
  type Watch,
  watch,
} from "./experiment.js";

const RETRY_AFTER = 4;
const TRIES = 3;

/** Sets the fault, asks for a token, and lets `look` watch the tabs from the first failure on. */
async function during(fault: TokenFault, look: (watched: Watch) => Promise<Outcome>): Promise<Outcome> {
  await calm();
  const watched = watch();
  try {
    await server.tokenFault(fault);
    for (let attempt = 0; attempt < TRIES; attempt++) {
      await ask();
      // A refresh that was sent before the fault succeeds, and this request gets its token.
      if (await watched.until(() => watched.since("failed"), 1000)) return await look(watched);
    }
    return bad("No refresh failed.");
  } finally {
    watched.stop();
    await server.tokenFault(null);
  }
}

/** Milliseconds from the last such event of the server to the next renewal, by the server's clock: a tab may hear of either one late. */
async function pauseAfter(kind: string): Promise<number> {
  const { events } = (await server.state()).stats;
  const { at: from } = lastWhere(events, (event) => event.kind === kind) ?? { at: Infinity };
  const next = events.find((event) => event.kind === "refreshed" && event.at > from);
  return (next?.at ?? Date.now()) - from;
}

export const tokenEndpoint: Experiment[] = [
  {
    id: "down",
    title: "503 from the token endpoint",
    should: () => "Everybody stays signed in, attempts follow with growing pauses, and a new token comes when the server is back.",
    run: () =>
      during({ kind: "down", times: 2 }, async (watched) => {
        const back = await recovered(watched, 30_000);
        const failures = count(watched.all("failed").length, "attempt");
        if (!back || !isSignedIn()) return bad(`After ${failures} there was no new token within 30 s.`);
        return good(
          `${failures} failed, ${openTabsInWords()} stayed signed in, and a new token came after ${inSeconds(watched.elapsed())}.`,
        );
      }),
  },
  {
    id: "throttled",
    title: "429 with Retry-After",
    should: () => `The server asks to wait ${RETRY_AFTER} s; no tab asks sooner, and then one does.`,
    run: () =>
      during({ kind: "throttled", retryAfterSeconds: RETRY_AFTER, times: 1 }, async (watched) => {
        if (!(await watched.until(() => watched.all("token", true).length > 0, 12_000))) return bad("No new token came within 12 s.");
        const pause = await pauseAfter("fault: throttled");
        return (pause >= RETRY_AFTER * 1000 ? good : bad)(
          `All tabs kept still for ${inSeconds(pause)}; then one asked, and ${openTabsInWords()} had the token.`,
        );
      }),
  },
  {
    id: "hang",
    title: "The token endpoint hangs",
    should: () =>
      grace() > 0
        ? "The refresh is given up after 4 s, the lock is free again, and the next attempt follows within two seconds."
        : "After 4 s all callers know, and the lock is free again. A strict server may still answer, so the next attempt follows after 12 s.",
    run: () =>
      during({ kind: "hang", times: 1 }, async (watched) => {
        const failure = watched.all("failed").at(-1);
        if (failure?.code !== "timeout") return bad("Nothing was given up.");
        const back = await recovered(watched, 20_000);
        if (!back || !isSignedIn()) return bad("No new token came within 20 s.");
        return good(`Given up after 4 s, asked again, and renewed ${inSeconds(Date.now() - failure.at)} later. Nobody was signed out.`);
      }),
  },
  {
    id: "lost",
    title: "The answer is lost after rotating",
    should() {
      if (!rotates()) return "Nothing is lost with it: the old token is still good, and the next attempt exchanges it again.";
      return grace() > 0
        ? `The server has a grace period: the used token, sent once more within ${grace()} s, gets the same answer again.`
        : "A strict server takes the next attempt for a theft and ends the session: no client can help, and this one says why.";
    },
    inPage: "Here the answer is lost between the page’s own server and the page.",
    run: () =>
      during({ kind: "cut-answer", times: 1 }, async (watched) => {
        // The lane counts, not the session: the session has ended before its listeners hear of it.
        const ended = () => watched.all("signed out", true).at(-1);
        const over = () => ended() !== undefined || watched.all("token", true).length > 0;
        await watched.until(() => over() || watched.all("failed").some(({ code }) => code === "rejected"), 15_000);
        // After an early refusal, the session uses the old token until its expiry. A call finds out now.
        if (!over()) await callApi();
        await watched.until(over, 10_000);
        const end = ended();
        const survives = !rotates() || grace() > 0;
        if (!end) {
          return (survives ? good : bad)(
            rotates()
              ? "The attempt was repeated, got the same answer, and the session went on."
              : "The attempt was repeated, and the session went on.",
          );
        }
        const next = wayOf(config().way).grace ? " With a grace period (below) it goes on." : "";
        return (survives ? bad : good)(
          `The used token came again, so the server ended the session: “${end.reason}”${end.lost ? ", possibly a lost rotation" : ""}.${next}`,
        );
      }),
  },
];

const grace = () => graceOf(config());
const rotates = () => wayOf(config().way).rotates;
