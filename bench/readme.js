// The README quotes what `npm run bench` wrote last; the same words are looked for by test/bench-figures.test.ts.
import { readFileSync, writeFileSync } from "node:fs";

const BEGIN = "<!-- Figures: written by `npm run bench`. -->\n";
const END = "<!-- End of the figures. -->";

export function quoted(/** @type {any} */ figures) {
  const { calls, storms, browser, sizes, restored } = figures;
  const ratio = (/** @type {string} */ way, name = "tokentide") => calls[way].ratios[name].median.toFixed(2);
  const of50 = browser.tabs.find((/** @type {any} */ { tabs }) => tabs === 50);
  const { refreshes, failed } = storms.revoked.tokentide;
  const [{ by }] = restored.outcome;
  const page = (/** @type {string} */ name) =>
    `${Math.round(by[name].imported.median + by[name].ready.median)} ms, ${Math.round(by[name].first.median)} ms`;
  const size = (/** @type {string} */ name) => `${sizes[name].toFixed(1)} kB`;
  return `**Cheap to call.** With a fresh token, \`session.fetch\` costs ${ratio("stub")}× a stub's call with the header set by hand (a 60-line wrapper for one tab: ${ratio("stub", "60-line floor")}×), and ${ratio("loopback")}× over loopback. A thousand calls with a
revoked token are ${refreshes} refresh and ${failed} failures. In 50 tabs of a real Chromium, the last one has the new token ${Math.round(of50.median)} ms after the answer (p99: ${Math.round(of50.p99)} ms).

**At the start of a page** that has a stored session: import and start, then the first authorized request, from the navigation on. tokentide ${page("tokentide with oauth2")}; oidc-client-ts ${page("oidc-client-ts")};
auth-js of Supabase ${page("@supabase/auth-js")}; auth0-spa-js ${page("@auth0/auth0-spa-js")}; a token read from IndexedDB by hand ${page("by hand, IndexedDB")}.

**In the bundle.** ${size("tokentide")} (minified, Brotli) with your own refresh function, and ${size("tokentide with oauth2")} with \`oauth2\`.
Beside it: oidc-client-ts ${size("oidc-client-ts")}, auth-js of Supabase ${size("@supabase/auth-js")}, auth0-spa-js ${size("@auth0/auth0-spa-js")}.
[docs/benchmarks.md](docs/benchmarks.md) has what each part is for, all aims, and what bounds them.
`;
}

export function updateReadme(/** @type {string} */ file, /** @type {any} */ figures) {
  const text = readFileSync(file, "utf8");
  const [start, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`${file} has no place for the figures`);
  writeFileSync(file, text.slice(0, start + BEGIN.length) + quoted(figures) + text.slice(end));
}
