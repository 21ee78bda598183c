import type { App } from "./app.js";
import type { Browser } from "./browser.js";
import type { Plan } from "./plan.js";

const SUBJECTS = ["ada", "grace"];

/** One of two users signs in with an app. */
export function signInAs(subject: number, app: App, { network, apps, features }: Browser, { mode }: Plan): void {
  // Two logins at once leave one cookie and another session: no client can tell.
  if (mode === "cookie" && apps.some(({ signingIn }) => signingIn.length > 0)) return;
  if (features.signsIn(SUBJECTS[subject] as string, app)) return;
  // The login page has set the cookie before the app hears of it.
  const grant = app.signIn(SUBJECTS[subject] as string);
  network.jar = `r.${grant.id}.1`;
}
