import { type Claims, createSession, oauth2 } from "../../src/index.js";

export interface UserClaims extends Claims {
  sub: string;
  name: string;
  iat: number;
  exp: number;
}

/** All that an app has to set up. The API is of the page's own origin, which is the default of `allowedOrigins`. */
export const session = createSession<UserClaims>({
  refresh: oauth2({ tokenEndpoint: "/oauth/token", revocationEndpoint: "/oauth/revoke", clientId: "tokentide-demo" }),
});
