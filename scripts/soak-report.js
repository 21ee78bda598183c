// The figures of a soak, and the page that shows them.

/**
 * @typedef {object} Figures
 * @property {string} date
 * @property {string} command
 * @property {string} commit the code that ran
 * @property {string} chromium
 * @property {number} minutes
 * @property {number} tabs at most, at one time
 * @property {{ opened: number, closed: number, closedWhileRefreshing: number }} life of the tabs
 * @property {{ rotations: number, attempts: number, replayed: number, down: number, lost: number }} server
 * @property {{ reused: number, signOuts: number, apiFailures: number }} violations
 * @property {{ ok: number, unauthorized: number }} api the latter: every 401 of it, most of which no caller saw
 * @property {{ spans: number[], signedIn: number }} freshness milliseconds
 * @property {{ start: number[], end: number[] }} memory in bytes, of the tabs that are open all the time
 */

/** The nearest rank: a value that was measured, never one between two of them. */
export function percentile(/** @type {readonly number[]} */ values, /** @type {number} */ percent) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0;
}

const sum = (/** @type {readonly number[]} */ values) => values.reduce((total, value) => total + value, 0);
const milliseconds = (/** @type {number} */ value) => `${Math.round(value)} ms`;

/** Mean and largest, since one tab that leaks would hide in a mean. */
function megabytes(/** @type {readonly number[]} */ values) {
  if (values.length === 0) return "–";
  const shown = (/** @type {number} */ bytes) => (bytes / 2 ** 20).toFixed(2);
  return `${shown(sum(values) / values.length)} MB (largest ${shown(Math.max(...values))} MB)`;
}

/** @returns {[string, string][]} */
export function rows(/** @type {Figures} */ { life, server, violations, api, freshness, memory }) {
  const { spans, signedIn } = freshness;
  const share = signedIn === 0 ? 0 : (sum(spans) / signedIn) * 100;
  return [
    ["rotations", `${server.rotations} (of ${server.attempts} refreshes asked for)`],
    ["used refresh tokens presented outside the grace", `${violations.reused}`],
    ["used refresh tokens presented within the grace", `${server.replayed}`],
    ["sign-outs that nobody asked for, in all tabs", `${violations.signOuts}`],
    [
      "API calls that failed",
      `${violations.apiFailures} (of ${api.ok + violations.apiFailures}; 401s that the API sent, most of which no caller saw: ${api.unauthorized})`,
    ],
    ["injected: 503", `${server.down}`],
    ["injected: answer lost after the rotation", `${server.lost}`],
    ["tabs opened", `${life.opened}`],
    ["tabs closed", `${life.closed}, ${life.closedWhileRefreshing} of them with their refresh at the server`],
    ["spans without a fresh token", `${spans.length}, ${share.toFixed(2)} % of the time that tabs were signed in`],
    ["such a span, p50", milliseconds(percentile(spans, 50))],
    ["such a span, p99", milliseconds(percentile(spans, 99))],
    ["such a span, max", milliseconds(percentile(spans, 100))],
    ["memory per tab at the start", megabytes(memory.start)],
    ["memory per tab at the end", megabytes(memory.end)],
  ];
}

export function failed(/** @type {Figures} */ { violations: { reused, signOuts, apiFailures } }) {
  return reused + signOuts + apiFailures > 0;
}

/** The page in `docs`. */
export function markdown(/** @type {Figures} */ figures) {
  const { date, command, commit, chromium, minutes, tabs, memory } = figures;
  const lines = rows(figures).map(([what, value]) => `| ${what} | ${value} |`);
  return `# A soak

One real browser, one session, tabs that come and go, and a server that is slow and fails. Written by \`npm run soak\`.

\`${command}\` on ${date}, at commit ${commit}, Chromium ${chromium}: ${minutes} minutes, at most ${tabs} tabs.

| | |
| --- | --- |
${lines.join("\n")}

## How it is made

- **Tokens** live for 10 s. Each refresh gets a new refresh token; a used one gets the same answer again for 10 s (\`reuseGrace: 10_000\`), and ends the session after that.
- **The token endpoint** takes 0 to 2 s, some of it before the request is handled and some after; 1 % of the requests are answered with 503, and 1 % of the answers are lost after the rotation.
- **Tabs** are opened and closed at random, some of those that have just sent a refresh included. ${memory.end.length} stay open from the start to the end; the memory is theirs: the JavaScript heap that is in use after a garbage collection, half a minute after the start and at the end.
- **Each tab** calls the API about once a second with \`session.fetch\`. A call has failed when it throws, or is not answered with 200, in a tab that is signed in.
- **A span without a fresh token** is one in which \`peekToken()\` is null in a tab that is signed in, looked at every 50 ms in the page. \`session.fetch\` waits meanwhile.
  Spans are to be expected here: a refresh is due 0.5 to 2 s before such a short token expires, and its answer takes up to 2 s. Each counts once for each tab.
`;
}
