import { authorize, authorized } from "../../demo/page/authorize";
import { session } from "./session";

/** Leaves for the authorization server's sign-in page. Its way back is the route `/callback`. */
export const signIn = (returnTo: string): Promise<void> => authorize("/callback", returnTo);

/** Back from there. Tells where to go on. */
export async function finishSignIn(): Promise<string> {
  try {
    const arrival = await authorized();
    if (!arrival) return "/login";
    await session.signIn(arrival.tokens);
    return arrival.returnTo;
  } catch {
    return "/login?failed";
  }
}
