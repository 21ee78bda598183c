// The least that refreshes at all: one tab, no storage, no retries, no clock that can be wrong. What everything else is measured against.
export function createFloor({ refresh, origins, leadSeconds = 60 }) {
  const allowed = new Set(origins);
  let accessToken;
  let refreshToken;
  let expiresAt = 0;
  let flight;
  let timer;

  function accept(response) {
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

  function withBearer(input, init) {
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
    headers.set("authorization", `Bearer ${accessToken}`);
    return { ...init, headers };
  }

  return {
    accept,
    stop: () => clearTimeout(timer),
    async fetch(input, init) {
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
