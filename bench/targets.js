// What was aimed at, and how far from it the last measurement was. Both the report and the README say it in these words.

/** The commit whose build the start of a page, and a refresh, are compared with. */
export const FORMER = "4b6da38";

const times = (/** @type {number} */ value) => `${value.toFixed(2)}×`;
/** No finer than a comparison can tell whose quartiles are a tenth from its median. */
const roughly = (/** @type {number} */ value) => `${value.toFixed(1)}×`;
const milliseconds = (/** @type {number} */ value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
const kilobytes = (/** @type {number} */ value) => `${value.toFixed(1)} kB`;

/** @returns {{ what: string, aim: number, is: number | undefined, say: (value: number) => string }[]} what is below its aim is met; undefined where a clone has no build to compare with */
export function targets(/** @type {any} */ { sizes, ways, calls, storms, tabs, start, dpop, browser, energy }) {
  const own = (/** @type {string} */ way) => calls[way].ratios.tokentide.median;
  const count = (/** @type {number} */ value) => String(Math.round(value * 100) / 100);
  const of50 = browser.tabs.find((/** @type {any} */ { tabs }) => tabs === 50);
  const [usual, slow] = start.outcome;
  const heap = Math.max(...[browser.memory.refreshing, browser.memory.adopting].map(({ from, to }) => (to - from) / from));
  const worst = (/** @type {string} */ member) => Math.max(...Object.values(storms).map((kind) => kind.tokentide[member]));
  const rows = [
    ["`createSession` with an own refresh function, all of it", 15, sizes.tokentide, kilobytes],
    ["`oauth2`, on top", 1.1, sizes["tokentide with oauth2"] - sizes.tokentide, kilobytes],
    [
      "a further way of renewing, the largest of them",
      0.6,
      Math.max(...Object.values(/** @type {Record<string, number>} */ (ways))),
      kilobytes,
    ],
    ["one call, string URL, bare stub; 1 is the header set by hand", 1.2, own("stub"), times],
    ["the same, beside the 60-line floor", 1, own("stub") / calls.stub.ratios["60-line floor"].median, times],
    ["one call, the stub builds a `Request`", 1.2, own("building"), times],
    ["one call, over loopback", 1.05, own("loopback"), times],
    ["one call, a `Request` given", 1.45, own("request"), times],
    ["what `dpop` adds to a call in Chromium, over loopback", 0.5, dpop.added.median, milliseconds],
    ["bytes allocated by a call", 1.3, own("allocations"), times],
    ["1000 calls at once, three kinds: refreshes", 1, worst("refreshes"), count],
    ["the same: failed calls", 0, worst("failed"), count],
    ["the same: resends of a call", 1, worst("resends"), count],
    ...Object.entries(storms).map(([kind, { tokentide }]) => [
      `1000 calls at once, ${kind}: time beside the floor's`,
      1.15,
      tokentide.time.median,
      times,
    ]),
    ["refreshes a rotation, 1 to 100 tabs", 1, Math.max(...browser.tabs.map((/** @type {any} */ row) => row.refreshes)), count],
    ["messages posted a rotation, 100 tabs", 1, tabs.at(-1).posted, count],
    ["from the answer to the last of 50 tabs, p99; 1 is a bare message's", 5.5, of50.p99 / of50.bare.p99, times],
    ["timers of an idle tab", 1, Math.max(...tabs.map((/** @type {any} */ { idle }) => idle.timers)), count],
    ["growth of a tab's heap over 1,000 rotations", 0.05, heap, (/** @type {number} */ value) => `${(value * 100).toFixed(1)} %`],
    [`what a refresh adds to its request, lock uncontended; 1 is the build of \`${FORMER}\``, 1, browser.added.toFormer?.median, roughly],
    [`import and \`createSession\`, main thread, 4× slow-down; 1 is the build of \`${FORMER}\``, 0.65, slow.toFormer?.median, times],
    [
      `first authorized request, later than by hand with a token from IndexedDB; median of ${start.loads} pairs`,
      8,
      usual.laterThanStored.median,
      milliseconds,
    ],
    [
      "refreshes of a page that is hidden for an hour, tokens of 5 minutes",
      Math.ceil(energy.kept.fewest / 0.79),
      energy.kept.refreshes,
      count,
    ],
    ["the same with `renewWhileHidden: false`", 0, energy.lapsing.refreshes, count],
  ];
  return rows.map(([what, aim, is, say]) => ({ what, aim, is, say }));
}

/** The table of them: what, at most, and the verdict. */
export function targetTable(/** @type {any} */ figures) {
  const rows = targets(figures).map(({ what, aim, is, say }) => {
    if (is === undefined) return `| ${what} | ${say(aim)} | – | not measured: this clone lacks the commit |`;
    // Judged as it is written: 1.30 is not above 1.3.
    const met = Number.parseFloat(say(is)) <= Number.parseFloat(say(aim));
    return `| ${what} | ${say(aim)} | ${say(is)} | ${met ? "met" : `missed by ${say(is - aim)}`} |`;
  });
  return ["| | at most | measured | |", "| --- | --- | --- | --- |", ...rows].join("\n");
}
