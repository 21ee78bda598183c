import { config } from "./config.js";
import { server } from "./server.js";
import { session, start } from "./session/current.js";
import { wayOf } from "./session/ways.js";

/** What an app's login would end with. The way there is the authorization server's business; `authorize.ts` has it. */
export async function signIn(subject: string): Promise<void> {
  const tokens = await server.signIn(subject, wayOf(config().way));
  await session().signIn(tokens);
}

/** Begins anew with what was chosen, as somebody. */
export async function startSignedIn(subject: string): Promise<void> {
  const next = start(config());
  await next.ready;
  if (next.getSnapshot().status !== "signed-in") await signIn(subject);
}
