// The README quotes what `npm run bench` wrote last; the same words are looked for by test/bench-figures.test.ts.
import { readFileSync, writeFileSync } from "node:fs";

const BEGIN = "<!-- Figures: written by `npm run bench`. -->\n";
const END = "<!-- End of the figures. -->";

export function quoted(/** @type {any} */ figures) {
  const { calls, storms, parts, browser, sizes } = figures;
  const ratio = (/** @type {string} */ way, name = "tokentide") => calls[way].ratios[name].median.toFixed(2);
  const of50 = browser.tabs.find((/** @type {any} */ { tabs }) => tabs === 50);
  const { refreshes, failed } = storms.revoked.tokentide;
  return `**Cheap to call.** With a fresh token, \`session.fetch\` costs ${ratio("stub")}× a stub's call with the header set by hand (a 60-line wrapper for one tab: ${ratio("stub", "60-line floor")}×), and ${ratio("loopback")}× over loopback. A thousand calls with a
revoked token are ${refreshes} refresh and ${failed} failures. In 50 tabs of a real Chromium, the last one has the new token ${Math.round(of50.median)} ms after the answer (p99: ${Math.round(of50.p99)} ms).

**Not small.** ${sizes.tokentide.toFixed(1)} kB with your own refresh function, ${sizes["tokentide with oauth2"].toFixed(1)} kB with \`oauth2\`, where 4.5 and 9.5 were aimed at. [docs/benchmarks.md](docs/benchmarks.md) has that beside its peers, all aims, and what bounds the size. What the core's kilobytes are for:

| part of the core | kB | what for |
| --- | --- | --- |
${parts.map((/** @type {any} */ { part, kilobytes, why }) => `| ${part} | ${kilobytes.toFixed(1)} | ${why} |`).join("\n")}
`;
}

export function updateReadme(/** @type {string} */ file, /** @type {any} */ figures) {
  const text = readFileSync(file, "utf8");
  const [start, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`${file} has no place for the figures`);
  writeFileSync(file, text.slice(0, start + BEGIN.length) + quoted(figures) + text.slice(end));
}
