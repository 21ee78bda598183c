import { FORMER, targetTable } from "./targets.js";

const ratio = (/** @type {any} */ it) =>
  it ? `${it.median.toFixed(2)} (${it.quartiles.map((/** @type {number} */ value) => value.toFixed(2)).join("–")})` : "–";
const slowDown = (/** @type {number} */ rate) => (rate === 1 ? "none" : `${rate}×`);
const milliseconds = (/** @type {number} */ value) => value.toFixed(1);

export function markdown(/** @type {any} */ figures) {
  const { runs, versions, sizes, ways, parts, calls, storms, tabs, start, restored, dpop, browser, energy } = figures;
  const names = [...new Set(["header by hand", ...Object.keys(sizes)])];
  const versionOf = (/** @type {string} */ name) => (versions[name] ? ` ${versions[name]}` : "");
  const stormOf = (/** @type {any} */ it) =>
    it?.time ? `${it.refreshes} / ${it.failed} / ${it.sent} / ${it.time.median.toFixed(2)}` : "–";

  const peers = names.map((name) => {
    const columns = ["stub", "building", "loopback", "request", "allocations"].map((way) => ratio(calls[way].ratios[name]));
    return `| ${name}${versionOf(name)} | ${sizes[name] ? sizes[name].toFixed(1) : "–"} | ${columns.join(" | ")} |`;
  });
  const stormRows = names
    .filter((name) => storms.revoked[name])
    .map((name) => `| ${name} | ${["expired", "revoked", "late"].map((kind) => stormOf(storms[kind][name])).join(" | ")} |`);
  const tabRows = browser.tabs.map((/** @type {any} */ row, /** @type {number} */ index) => {
    const { refreshes, messages, median, p99, bare, idle } = row;
    return `| ${row.tabs} | ${refreshes} | ${messages} | ${tabs[index].delivered} | ${milliseconds(median)} | ${milliseconds(p99)} | ${bare ? `${milliseconds(bare.median)} (${milliseconds(bare.p99)})` : "–"} | ${idle.timers} | ${tabs[index].idle.wakeUpsAMinute} |`;
  });
  const heap = (/** @type {any} */ { from, to }) => `${Math.round(from / 1000)} kB → ${Math.round(to / 1000)} kB`;
  const run = (/** @type {string} */ part) => {
    const { date, node, quick, load } = runs[part];
    return `| ${part} | ${date} | ${node} | ${load} |${quick ? " a tenth of the rounds |" : " |"}`;
  };

  return `# Benchmarks

Written by \`npm run bench\`. Ratios are to the header set by hand, in one run in which all take turns: the median, and in brackets the quartiles. Nothing else is comparable between machines.

## What was aimed at

${targetTable(figures)}

## Beside others

| | brotli kB | one call, bare stub | the stub builds a Request | over loopback | a Request given | bytes allocated |
| --- | --- | --- | --- | --- | --- | --- |
${peers.join("\n")}

A thousand calls at once. "Expired": the clock says so. "Revoked": only the API says so. "Late": as revoked, and half of the answers come long after the refresh is over.

| refreshes / failed / sent / time, 1 being the floor's | expired | revoked | late |
| --- | --- | --- | --- |
${stormRows.join("\n")}

## Calls with tokens that are bound to a key

${boundSection(dpop)}

## Tabs of one browser

In Chromium ${browser.chromium}, each a page of its own; deliveries and wake-ups in the virtual browser of \`tokentide/testing\`.

| tabs | refreshes a rotation | messages posted | delivered | answer → last tab, ms | p99 | a bare message, ms (p99) | timers of an idle tab | its wake-ups a minute |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
${tabRows.join("\n")}

- An idle tab has one timer, which looks at the clock once a minute, since a timer does not count a sleep; nothing is asked or posted then.
- Heap over ${browser.memory.rounds.toLocaleString("en")} rotations: ${heap(browser.memory.refreshing)} in the tab that refreshes, ${heap(browser.memory.adopting)} in one that adopts.
- With nobody else at the lock, a refresh takes ${ratio(browser.added)} ms longer than its request: the lock, two transactions, and the events.

## The start of a page

${startSection(start)}

## A stored session, in a page that opens

${restoredSection(restored, versions)}

## A page that nobody sees, for an hour, with tokens of five minutes

| \`renewWhileHidden\` | refreshes | wake-ups | a valid token at the end |
| --- | --- | --- | --- |
| \`true\` | ${energy.kept.refreshes} | ${energy.kept.wakeUps} | ${energy.kept.valid ? "yes" : "no"} |
| \`false\` | ${energy.lapsing.refreshes} | ${energy.lapsing.wakeUps} | ${energy.lapsing.valid ? "yes" : "no"} |

Renewing between 79 and 88 % of a life takes 14 to 15 tokens for an hour, where 12 would do if nothing could go wrong.

## What the core is made of

| part | kB | what for |
| --- | --- | --- |
${parts.map((/** @type {any} */ { part, kilobytes, why }) => `| ${part} | ${kilobytes.toFixed(1)} | ${why} |`).join("\n")}

Each folder's share of the minified bytes, of the compressed whole. On top of \`oauth2\`, a further way costs ${Object.entries(ways)
    .map(([way, kilobytes]) => `${/** @type {number} */ (kilobytes).toFixed(2)} kB (\`${way}\`)`)
    .join(", ")}. What each import costs is in [sizes.md](sizes.md).

## What bounds what was aimed at

- **Size.** All texts of errors and events together are about 0.5 kB; mangling the names of internals, which was tried, saves 0.3 to 0.45 kB. The rest is mechanisms: the ledger's compare-and-set with what happens when storage fails, the
  lease and the lock with deadlines, the memory mode, wrong clocks, the pace of retries. A smaller core needs fewer of them, not shorter ones.
- **One call.** Its address has to be parsed to know the origin, and its answer looked at for a 401, which is a promise more. The floor does little else, and needs ${calls.stub.ratios["60-line floor"].median.toFixed(2)}×, ${calls.building.ratios["60-line floor"].median.toFixed(2)}× where the stub builds a \`Request\`, and
  ${calls.request.ratios["60-line floor"].median.toFixed(2)}× where one is given. Knowing an allowed origin by how the address begins was tried, is a parse less, and was taken back: origins are compared parsed.
- **Fifty tabs.** That a bare message is there much sooner says what the rest is: the winner makes its commit durable, and then each tab reads it, all from one database. At first they did so in
  read-write transactions, one after the other, which took twice as long ([how it is now](decisions/0001-ledger-in-indexeddb.md)). Putting the token into the message would be faster still, and would put it on a channel.
- **The start.** Most of it is the compiler's, of a bundle's text: the floor's 60 lines alone take ${start.others["60-line floor"].toFixed(1)} ms with the slow-down. Fewer kilobytes would be the way, see above.
- **The first authorized request.** A session that outlives its page is in IndexedDB, and reading a token from it by hand, without a library, made a page's first request ${Math.round(start.outcome[0].stored.median - start.outcome[0].byHand.median)} ms later. What is on top is the session's own.

## How to read it

- Each was first shown to do it once: a call with a fresh token that the API accepts, without a refresh. The glue is in \`bench/contestants.js\` and \`bench/peers.js\`; the clients that bring a login of their own were given the tokens that it
  would have brought, and, where they handle no 401, the same few lines that renew and send once more.
- Sizes are esbuild's bundles for browsers of ES2022, minified, Brotli 11. The stub is \`async () => new Response("{}")\`; calls are to a string URL unless it says otherwise, and the one by hand sets the header.
- Calls are timed by the processor time of the process, in batches of 30 to 300 in an order drawn anew for each round: what else the machine does is hardly in it. Loopback is the client's part. Storms and pages are timed by the clock.
- A refresh token works once in the storms, as it should. The figures are the worst of all rounds; the peers' are of one round.
- A dash: it takes no \`Request\`, or has nothing to be timed. jwt-autorefresh schedules and calls nothing, and does not bundle for browsers without substitutes for Node's modules.

| measured | on | Node | load of the machine before |
| --- | --- | --- | --- |
${["sizes", "calls", "storms", "tabs", "energy", "start", "restored", "dpop", "browser"].map(run).join("\n")}

The pace of a fleet is in [fleet.md](fleet.md).
`;
}

/** A session with `dpop`, beside one without it. */
function boundSection(/** @type {any} */ { rounds, calls, byHand, bearer, bound, added }) {
  const [first, third] = added.quartiles.map((/** @type {number} */ value) => value.toFixed(2));
  const each = [byHand, bearer, bound].map(({ median }) => median.toFixed(2));
  return `In Chromium, from a page to a server on the same machine and back, in ms: the medians of ${rounds} rounds of ${calls} calls each, in turns, one call after the other. "Added" is the median of the differences within a round, and in brackets the quartiles. The server does not look at the proofs, so this is the page's part.

| the header set by hand | \`session.fetch\` | the same with \`dpop\` | added |
| --- | --- | --- | --- |
| ${each.join(" | ")} | ${added.median.toFixed(2)} (${first}–${third}) |`;
}

/** Ours, on the main thread and until its first request, beside the former build and what is done by hand. */
function startSection(/** @type {any} */ start) {
  const startRows = start.outcome.map(
    (/** @type {any} */ { rate, loaded, imported, main, former, first, byHand, stored, laterThanStored }) =>
      `| ${slowDown(rate)} | ${milliseconds(imported.median)} | ${milliseconds(main.median)} | ${former ? milliseconds(former.median) : "–"} | ${milliseconds(loaded)} | ${milliseconds(first.median)} | ${milliseconds(byHand.median)} | ${milliseconds(stored.median)} | ${milliseconds(laterThanStored.median)} |`,
  );
  return `| slow-down | import, ms of the main thread | with \`createSession\` | the same, build of \`${FORMER}\` | all scripts of a page, more than by hand | first authorized request, ms after navigation | the same, header set by hand | by hand, token read from IndexedDB | ours later than that, in pairs |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
${startRows.join("\n")}

The first three with \`oauth2\`, by one \`eval\` of the bundle's text: nothing of it was compiled before, on another thread or for an earlier page. Most of that is the compiler's time, once: a second session takes less than a
millisecond without a slow-down. The former build is bundled from its own sources, with the ky of its own lock file. The fourth is with modules, loaded as pages load them, up to the answer to the first call. The import alone of others, with the slow-down of ${start.outcome[1].rate}×: ${Object.entries(
    start.others,
  )
    .map(([name, others]) => `${name} ${Math.round(/** @type {number} */ (others) * 10) / 10} ms`)
    .join(", ")}.`;
}

/** Each that keeps a session, beside a token that is read by hand. */
function restoredSection(/** @type {any} */ { outcome }, /** @type {Record<string, string>} */ versions) {
  const columns = outcome.map((/** @type {any} */ { rate }) => {
    const when = rate === 1 ? "" : `${rate}×: `;
    return `${when}import, ms | ${when}start until ready | ${when}first authorized request | ${when}later than by hand`;
  });
  const rows = Object.keys(outcome[0].by).map((name) => {
    const cells = outcome.map((/** @type {any} */ { by }) => {
      const { imported, ready, first, later } = by[name];
      return [imported, ready, first, later].map(({ median }) => milliseconds(median)).join(" | ");
    });
    return `| ${name}${versions[name] ? ` ${versions[name]}` : ""} | ${cells.join(" | ")} |`;
  });
  return `Each restores a session with a fresh token from its own storage, as its documentation has it, and sends its first call with it. That is localStorage for the
three others (\`cacheLocation: "localstorage"\`, \`WebStorageStateStore\`, \`persistSession\`), and IndexedDB for tokentide. Import and start are of the bundle's text, by one \`eval\`. The request is of a page
that loads the same bundle as a module, and is timed from the navigation. Nothing comes from a cache. "Later" is the median of pairs, beside a token that is read from localStorage by hand.

| | ${columns.join(" | ")} |
| --- |${" --- |".repeat(4 * outcome.length)}
${rows.join("\n")}`;
}
