const SAFELISTED_REQUEST = new Set(["accept", "accept-language", "content-language"]);
const SAFELISTED_RESPONSE = ["cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"];
const FORM = "application/x-www-form-urlencoded";
/** Set by the browser, or by the test in its place. */
const OF_THE_BROWSER = new Set(["origin", "cookie"]);

const namesIn = (headers: Headers, list: string): string[] => (headers.get(list) ?? "").toLowerCase().split(/\s*,\s*/);

/**
 * Does to a page's request what browsers do beside `Access-Control-Allow-Origin`: asks with a preflight, and hides the headers that are not
 * exposed (Fetch, "CORS protocol"). It remembers no preflight.
 */
export function withPreflights(network: typeof fetch, origin: string): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    if (new URL(request.url).origin === origin) return network(request);
    const further = [...request.headers].flatMap(([name, value]) => {
      const plain = SAFELISTED_REQUEST.has(name) || (name === "content-type" && value.startsWith(FORM));
      return plain || OF_THE_BROWSER.has(name) ? [] : [name];
    });
    if (further.length > 0 || !/^(GET|HEAD|POST)$/.test(request.method)) {
      const asked = { "access-control-request-method": request.method, "access-control-request-headers": further.sort().join(",") };
      const answer = await network(request.url, { method: "OPTIONS", headers: { origin, ...asked } });
      const allowed = namesIn(answer.headers, "access-control-allow-headers");
      const refused = further.filter((name) => !allowed.includes(name));
      if (!answer.ok || refused.length > 0) throw new TypeError(`Failed to fetch (preflight: ${refused.join() || answer.status})`);
    }
    const response = await network(request);
    const kept = [...SAFELISTED_RESPONSE, "access-control-allow-origin", ...namesIn(response.headers, "access-control-expose-headers")];
    const headers = new Headers([...response.headers].filter(([name]) => kept.includes(name)));
    const { status, statusText, url, redirected } = response;
    const seen = new Response(/^(204|304)$/.test(`${status}`) ? null : await response.arrayBuffer(), { status, statusText, headers });
    return Object.defineProperties(seen, { url: { value: url }, redirected: { value: redirected } });
  };
}
