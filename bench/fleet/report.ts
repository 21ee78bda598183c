import type { fleet } from "./main.js";

type Figures = ReturnType<typeof fleet>;

const count = (value: number) => value.toLocaleString("en");
const times = (value: number) => `${value.toFixed(2)}×`;

export function figuresOf({ calm, minute, storms, refusing, slow }: Figures) {
  const plain = <T extends { requests: Float64Array }>({ requests: _, ...row }: T) => row;
  return { calm: calm.map(plain), minute: plain(minute), storms: storms.map(plain), refusing, slow };
}

export function markdown(figures: Figures, command: string, clients: number): string {
  const { calm, minute, storms, refusing, slow } = figures;
  return `# A fleet

Written by \`${command}\`: ${clients.toLocaleString("en")} clients, event by event, over the scheduler's and the backoff's own code, from one seed. Everything is a multiple of the fewest
refreshes a second that could do, clients divided by the life of a token. Peaks are of single seconds.

## Everybody signs in within the same minute

![Refreshes a second over time](fleet.svg)

Tokens live for 15 minutes. "Later" is the second half of eight lives.

| | peak | peak later | mean |
| --- | --- | --- | --- |
${calm.map((row) => `| ${row.name} | ${times(row.peak)} | ${times(row.peakLater)} | ${times(row.mean)} |`).join("\n")}
| ${minute.name}, tokens of one minute | ${times(minute.peak)} | ${times(minute.peakLater)} | ${times(minute.mean)} |

## The auth server is away for five minutes

![Refreshes a second around an outage](fleet-outage.svg)

After the outage it serves 5×, and answers 503 to whoever comes beyond that. "Without" is the average time for which a client had no token that it could send; nobody is signed out by any of this.

| | peak during | peak after | minutes without | without at the end |
| --- | --- | --- | --- | --- |
${storms.map((row) => `| ${row.name} | ${times(row.during)} | ${times(row.after)} | ${row.minutesWithout.toFixed(2)} | ${row.stranded} |`).join("\n")}

## An API refuses fresh tokens for five minutes

The auth server works, and the API says 401 to every token. The apps that call this API do so every 10 s; the other clients do as always.

| | peak during | peak after | renewals for a 401, of each client that calls | signed out |
| --- | --- | --- | --- | --- |
${refusing.map((row) => `| ${row.name} | ${times(row.during)} | ${times(row.after)} | ${row.forRefusals.toFixed(1)} | ${row.signedOut} |`).join("\n")}

A renewal always answers the first 401 of a token, since the token may have been revoked. So the peak follows the calls: with a call every 10 s, each client makes 90 in a life.
One app in 30 adds 3×, and every app 90×. [The pace of later renewals](decisions/0008-renewals-that-cure-nothing-are-paced.md) bounds how many follow. Clients that renewed in step are due in step: that is the peak after.

## The auth server answers after 12 s, for five minutes

It carries a request out at once, and takes each refresh token once. A client that sends a used one is signed out.

| | peak during | peak after | minutes without | signed out |
| --- | --- | --- | --- | --- |
${slow.map((row) => `| ${row.name} | ${times(row.during)} | ${times(row.after)} | ${row.minutesWithout.toFixed(2)} | ${row.signedOut ? `${count(row.signedOut)} of ${count(row.clients)}` : 0} |`).join("\n")}

The session waits 30 s for the answer, and its callers wait 10 s ([decision 7](decisions/0007-the-deadline-ends-the-waiting.md)).

The peers' rows are models of how their own schedulers work, with the settings that they name. Below the first table, they have a fifth of the clients, evenly spread from the start. The code that was run is in \`bench/fleet/policies.ts\`. Why the defaults are what they are:
[decision 4](decisions/0004-pace-for-a-fleet.md).
`;
}
