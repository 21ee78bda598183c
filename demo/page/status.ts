import { element, setText } from "./dom.js";
import { reasons } from "./events.js";
import { session } from "./session.js";

const status = element("status");
const explanation = element("explanation");
const section = element("session");

/** Shows who is signed in, and why not. */
export function showStatus(): void {
  session.subscribe(draw);
  draw();
}

/** Something went wrong that the session knows nothing of: the sign-in itself. */
export function showProblem(message: string): void {
  setText(explanation, message);
}

function draw(): void {
  const { status: state, claims, degraded, reason } = session.getSnapshot();
  const signedIn = state === "signed-in";
  element("sign-in").hidden = state !== "signed-out";
  element("switch-user").hidden = !signedIn;
  element("sign-out").hidden = !signedIn;
  for (const id of ["expire", "revoke"]) element<HTMLButtonElement>(id).disabled = !signedIn;
  section.dataset.state = degraded ? "degraded" : state;
  if (state === "restoring") return;
  setText(status, signedIn ? `Signed in as ${claims?.name}` : "Signed out");
  document.title = `${signedIn ? claims?.name : "Signed out"} – tokentide`;
  if (!signedIn) setText(explanation, reason ? reasons[reason] : "Sign in at the demo’s own OAuth server. It takes one click.");
  else
    setText(
      explanation,
      degraded ? "The last refresh failed; still trying." : "The session renews itself. One tab asks, all get the token.",
    );
}
