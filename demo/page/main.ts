import { onChosen } from "./config.js";
import { element, onClick, setText } from "./dom.js";
import { otherThan, people } from "./people.js";
import { framed, manual, standalone } from "./place.js";
import { callApi, keepCalling, useApi } from "./session/calls.js";
import { loginKey, session, start } from "./session/current.js";
import { signIn } from "./sign-in.js";
import { noticeAbsence } from "./tabs/absence.js";
import { hear } from "./tabs/channel.js";
import { embedTab, openTabs, restoreFrames } from "./tabs/frames.js";
import { joinTabs, lanes } from "./tabs/lanes.js";
import { openNumbers } from "./tabs/number.js";
import { showTimeline } from "./timeline/timeline.js";
import { showBreaking } from "./view/breaking.js";
import { showCompare } from "./view/compare.js";
import { showEvents } from "./view/events.js";
import { showRequests } from "./view/requests.js";
import { showSetup } from "./view/setup.js";
import { showProblem, showState } from "./view/state.js";
import { showTruth } from "./view/truth.js";

const complain = (error: Error) => showProblem(`That did not work: ${error.message}`);
const attempt = (action: () => Promise<unknown>) => () => action().catch(complain);

document.body.dataset.home = standalone ? "static" : "live";

// The static home's back end must start before the first request.
if (standalone) await (await import("../static/start.js")).startBackEnd();

joinTabs();
noticeAbsence();
showTimeline();
showState();
hear("sign-in", ({ id, subject }) => {
  if (id === lanes.own.head.id && Object.hasOwn(people, subject)) signIn(subject).catch(complain);
});
useApi();
if (framed) onChosen(start);
else await showPage();
await session().ready;
document.body.dataset.ready = "true";

async function showPage(): Promise<void> {
  showTruth();
  showEvents();
  showRequests();
  showSetup();
  showCompare();
  showBreaking();
  document.body.dataset.built = "true";
  onClick(
    "sign-in-ada",
    attempt(() => signIn("ada")),
  );
  onClick(
    "sign-in-grace",
    attempt(() => signIn("grace")),
  );
  onClick(
    "switch-user",
    attempt(() => signIn(otherThan(session().getSnapshot().claims?.sub))),
  );
  onClick("sign-out", () => session().signOut());
  // The page shows the outcome as an event.
  onClick("refresh", () =>
    session()
      .refresh()
      .catch(() => {}),
  );
  onClick("call", callApi);
  element("keep-calling").addEventListener("change", ({ target }) => keepCalling((target as HTMLInputElement).checked));
  element<HTMLInputElement>("keep-calling").checked = !manual;
  onClick("embed", embedTab);
  const about = element("opened").textContent ?? "";
  onClick("open-tabs", () =>
    openTabs(5, (blocked) =>
      setText(element("opened"), blocked === 0 ? about : `The browser blocked ${blocked} of them: they are embedded below instead.`),
    ),
  );
  if (!standalone) await authorizeInThePage();
  await session().ready;
  // By then this tab has heard of the other tabs.
  setTimeout(async () => {
    if (manual) return;
    restoreFrames();
    const { status, reason } = session().getSnapshot();
    // On a first visit, the page signs a user in, so that the visitor sees the session at work.
    if (status === "signed-out" && reason === undefined && (await openNumbers()).size <= 1 + element("frames").children.length) {
      await signIn("ada").catch(complain);
    }
  }, 150);
}

/** Signs in as a real app does: by code and PKCE, at the authorization server's own page. */
async function authorizeInThePage(): Promise<void> {
  const { authorize, authorized } = await import("./authorize.js");
  element("authorize").hidden = false;
  onClick("authorize", () =>
    authorize("/", "/", loginKey).catch((error: Error) => showProblem(`The sign-in could not start: ${error.message}`)),
  );
  try {
    const arrival = await authorized(loginKey);
    if (arrival) await session().signIn(arrival.tokens);
  } catch (error) {
    await session().ready;
    showProblem(`The sign-in failed: ${(error as Error).message}`);
  }
}
