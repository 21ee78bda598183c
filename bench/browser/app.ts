// In the page, as an app would have it: what each page of the measurements has of tokentide.
import { createSession, oauth2 } from "../../src/index.js";

export const makeSession = () => createSession({ refresh: oauth2({ tokenEndpoint: "/token", clientId: "spa" }) });
