import type { Environment } from "../../../src/types/environment.js";
import { headerIn, TOKEN_URL, tokenIn } from "../platform/network.js";

/** A request of a page, as its task sends it. */
export interface Sent {
  readonly url: string;
  /** Whether it goes to the token endpoint. */
  readonly renews: boolean;
  /** The bearer, or the refresh token. */
  readonly token: string | undefined;
}

/** Looks at the requests that a session sends. */
export function watchCalls(environment: Environment, sends: (sent: Sent) => void): void {
  const { fetch } = environment;
  environment.fetch = (input, init) => {
    const url = String(input);
    const renews = url === TOKEN_URL;
    sends({ url, renews, token: renews ? String(init?.body) : tokenIn(headerIn(init?.headers, "authorization")) });
    return fetch(input, init);
  };
}
