// The least that refreshes at all: one tab, no storage, no retries, no clock that can be wrong. What everything else is measured against.

/**
 * @typedef {{ access_token: string, refresh_token?: string, expires_in: number }} Answer
 *
 * @param {object} options
 * @param {(refreshToken: string | undefined) => Promise<Answer>} options.refresh
 * @param {string[]} options.origins
 * @param {number} [options.leadSeconds]
 */
export function createFloor({ refresh, origins, leadSeconds = 60 }) {
  const allowed = new Set(origins);
  /** @type {string | undefined} */
  let accessToken;
  /** @type {string | undefined} */
  let refreshToken;
  let expiresAt = 0;
  /** @type {Promise<void> | undefined} */
  let flight;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  function accept(/** @type {Answer} */ response) {
    accessToken = response.access_token;
    refreshToken = response.refresh_token ?? refreshToken;
    const life = response.expires_in * 1000;
    expiresAt = Date.now() + life;
    clearTimeout(timer);
    timer = setTimeout(() => renew().catch(() => {}), Math.min(Math.max(life - leadSeconds * 1000, life / 2), 2 ** 31 - 1));
    timer.unref?.();
  }

  function renew() {
    flight ??= refresh(refreshToken)
      .then(accept)
      .finally(() => {
        flight = undefined;
      });
    return flight;
  }

  function withBearer(/** @type {RequestInfo | URL} */ input, /** @type {RequestInit | undefined} */ init) {
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
    headers.set("authorization", `Bearer ${accessToken}`);
    return { ...init, headers };
  }

  return {
    accept,
    stop: () => clearTimeout(timer),
    async fetch(/** @type {RequestInfo | URL} */ input, /** @type {RequestInit | undefined} */ init) {
      const { origin } = new URL(input instanceof Request ? input.url : input);
      if (!allowed.has(origin)) return fetch(input, init);
      if (Date.now() >= expiresAt) await renew();
      const sent = accessToken;
      const spare = input instanceof Request && input.body ? input.clone() : input;
      const response = await fetch(input, withBearer(input, init));
      if (response.status !== 401) return response;
      if (sent === accessToken) await renew();
      return fetch(spare, withBearer(spare, init));
    },
  };
}
