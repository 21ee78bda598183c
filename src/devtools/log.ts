import { make } from "./dom.js";
import type { Entry } from "./entry.js";
import type { Lane } from "./lanes.js";
import { clockTime } from "./time.js";

const MOST_ROWS = 200;

/** The table rows for the entries of all tabs, the newest entry first. */
export function logRows(lanes: readonly Lane[], shown: ReadonlySet<Entry["of"]>): HTMLTableRowElement[] {
  const all = lanes.flatMap((lane) => lane.entries.flatMap((entry) => (shown.has(entry.of) ? [{ lane, entry }] : [])));
  all.sort((one, other) => other.entry.at - one.entry.at);
  return all
    .slice(0, MOST_ROWS)
    .map(({ lane, entry }) =>
      make(
        "tr",
        isBad(entry) ? { class: "bad" } : {},
        make("td", {}, clockTime(entry.at)),
        make("td", {}, lane.here ? "this" : lane.id),
        make("td", {}, entry.name),
        make("td", {}, words(entry)),
      ),
    );
}

function words({ details }: Entry): string {
  const instant = (key: string, value: unknown) => typeof value === "number" && /^(since|endsAt|.+At)$/.test(key);
  return Object.entries(details)
    .flatMap(([key, value]) => (value === null ? [] : [`${key} ${instant(key, value) ? clockTime(value as number) : value}`]))
    .join(", ");
}

const isBad = ({ name, details }: Entry) => /^(refresh-failed|signed-out)$/.test(name) || Number(details.status) >= 400;
