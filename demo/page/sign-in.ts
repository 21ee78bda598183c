import { thumbprintOf } from "../../src/dpop/proof.js";
import type { Session } from "../../src/index.js";
import { config } from "./config.js";
import { server } from "./server.js";
import { loginKey, session, start } from "./session/current.js";
import { wayOf } from "./session/ways.js";

/** Signs a user in without a sign-in page. `authorize.ts` has the sign-in page. */
export async function signIn(subject: string): Promise<void> {
  const keyPair = await loginKey();
  const tokens = await server.signIn(subject, wayOf(config().way), keyPair && (await thumbprintOf(crypto, keyPair)));
  await session().signIn(tokens);
}

/** Starts a new session with the visitor's choices, and signs a user in unless one is signed in. */
export async function startSignedIn(subject: string): Promise<void> {
  const next = start(config());
  // While storage is slow, `ready` resolves before the page knows whether a user is signed in.
  while (next.getSnapshot().status === "restoring") await changeOf(next);
  if (next.getSnapshot().status !== "signed-in") await signIn(subject);
}

/** Resolves with the next change of the session. */
function changeOf(session: Session): Promise<void> {
  return new Promise((resolve) => {
    const stop = session.subscribe(() => {
      stop();
      resolve();
    });
  });
}
