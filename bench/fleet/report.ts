import type { fleet } from "./main.js";

type Figures = ReturnType<typeof fleet>;

const times = (value: number) => `${value.toFixed(2)}×`;

export function figuresOf({ calm, minute, storms }: Figures) {
  const plain = <T extends { requests: Float64Array }>({ requests: _, ...row }: T) => row;
  return { calm: calm.map(plain), minute: plain(minute), storms: storms.map(plain) };
}

export function markdown(figures: Figures, command: string, clients: number): string {
  const { calm, minute, storms } = figures;
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

The peers' rows are models of how their own schedulers work, with the settings that they name, in the outage with a fifth of the clients, evenly spread from the start; the code that was run is in \`bench/fleet/policies.ts\`. Why the defaults are what they are:
[decision 4](decisions/0004-pace-for-a-fleet.md).
`;
}
