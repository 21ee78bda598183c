import { createSession, oauth2 } from "tokentide";

/** What the access token says of its user. */
export interface User {
  sub: string;
  name: string;
}

/** One for the page. The API is of the page's own origin; for others, there is `allowedOrigins`. */
export const session = createSession<User>({
  refresh: oauth2({ issuer: location.origin, clientId: "tokentide-demo" }),
});
