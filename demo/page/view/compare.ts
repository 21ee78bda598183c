import { choose, config, onChosen } from "../config.js";
import { element, inSeconds, setText } from "../dom.js";
import { eachSession, session } from "../session/current.js";
import { wayOf } from "../session/ways.js";
import { startSignedIn } from "../sign-in.js";
import { embedTab } from "../tabs/frames.js";
import { lanes } from "../tabs/lanes.js";
import { showProblem } from "./state.js";
import { lookAtServer, onTruth } from "./truth.js";

interface Counts {
  refreshes: number;
  reused: number;
  revoked: number;
}

const zero: Counts = { refreshes: 0, reused: 0, revoked: 0 };
/** The counts with and without the lock since this page was opened. */
const totals = { with: { ...zero }, without: { ...zero } };
let last: Counts | undefined;
let startedAt = 0;

/** Lets the same tabs run without the lock, on the same strict server. */
export function showCompare(): void {
  const toggle = element<HTMLButtonElement>("compare-switch");
  onTruth(({ stats }) => {
    const total = totals[config().compare ? "without" : "with"];
    for (const key of ["refreshes", "reused", "revoked"] as const) {
      if (last) total[key] += Math.max(0, stats[key] - last[key]);
      for (const side of ["with", "without"] as const) setText(element(`${side}-${key}`), String(totals[side][key]));
    }
    last = { ...stats };
  });
  toggle.addEventListener("click", async () => {
    try {
      // The counts until now belong to the mode of before.
      await lookAtServer();
      const subject = session().getSnapshot().claims?.sub ?? "ada";
      // The comparison needs several tabs.
      while (lanes.open().length < 3 && document.querySelectorAll("iframe").length < 2) embedTab();
      choose({ compare: !config().compare });
      startedAt = Date.now();
      show("running");
      await startSignedIn(subject);
    } catch (error) {
      showProblem((error as Error).message);
    }
  });
  onChosen((chosen) => show("running", chosen));
  eachSession((session) => {
    session.on("signed-out", async ({ reason }) => {
      if (!config().compare || reason === "user") return;
      await lookAtServer().catch(() => {});
      show("revoked");
    });
  });
  show("running");
}

function show(what: "running" | "revoked", { compare, way } = config()): void {
  element("compare-switch").setAttribute("aria-checked", String(compare));
  element("compare").dataset.state = compare ? what : "off";
  document.body.dataset.compare = String(compare);
  const after = startedAt > 0 ? ` after ${inSeconds(Date.now() - startedAt)}` : "";
  const texts = {
    running: wayOf(way).rotates
      ? "Running without the lock. Each tab asks when the token is due; the server will see one refresh token twice."
      : "Running without the lock. Each tab asks for itself. This token is not used up, so the server only works the more.",
    revoked: `Revoked${after}: two tabs sent the same refresh token, and a strict server takes the second for a theft. Everybody is signed out.`,
  };
  // A key cannot be stored as text.
  const unbound = wayOf(way).setup.dpop && what === "running" ? " localStorage takes no key, so the tokens are bound to none." : "";
  setText(
    element("compare-outcome"),
    compare ? texts[what] + unbound : "Off: one tab asks, the others adopt. The server never sees a token twice.",
  );
}
