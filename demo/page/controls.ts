import { drawCounts } from "./counts.js";
import { element, onClick } from "./dom.js";
import { type FaultKind, type ServerState, server } from "./server.js";
import { session } from "./session.js";
import { startSignIn } from "./sign-in.js";
import { showProblem } from "./status.js";

/** What the buttons do. */
export function useControls(): void {
  const signIn = () => startSignIn().catch((error: Error) => showProblem(`The sign-in could not start: ${error.message}`));
  onClick("sign-in", signIn);
  onClick("switch-user", signIn);
  onClick("sign-out", () => session.signOut());
  // What comes of it is an event, which the page shows.
  onClick("refresh", () => session.refresh().catch(() => {}));

  const ask = (question: Promise<ServerState>) => question.then(drawCounts, (error: Error) => showProblem(error.message));
  onClick("expire", () => ask(server.expireAccessTokens()));
  onClick("revoke", () => ask(server.revoke(session.getSnapshot().claims?.sub ?? "")));
  element("faults").addEventListener("change", ({ target }) => {
    const { value } = target as HTMLInputElement;
    void ask(server.setFault(value === "none" ? null : (value as FaultKind)));
  });
}
