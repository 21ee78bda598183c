export interface Curve {
  readonly name: string;
  /** One value a second. */
  readonly values: Float64Array;
}

const WIDTH = 860;
const HEIGHT = 300;
const MARGIN = { left: 46, right: 12, top: 34, bottom: 34 };
/** Legible on white and on black alike; the text follows the reader's theme. */
const colours = ["#0a9396", "#e07a1f", "#9b5de5"];

/** Requests a second over time, on a logarithmic scale, since what is compared differs by powers of ten. */
export function picture(title: string, curves: readonly Curve[], firstMinute: number): string {
  const most = Math.max(...curves.map(({ values }) => values.reduce((one, other) => Math.max(one, other), 1)));
  const top = Math.ceil(Math.log10(most) * 2) / 2;
  const bottom = -1;
  const seconds = Math.max(...curves.map(({ values }) => values.length));
  const x = (second: number) => MARGIN.left + (second / seconds) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (value: number) =>
    MARGIN.top + ((top - Math.max(bottom, Math.log10(value))) / (top - bottom)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const rules = [0.1, 1, 5, 10, 100].filter((value) => Math.log10(value) <= top);
  const minutes = Array.from({ length: Math.floor(seconds / 600) + 1 }, (_, index) => index * 10);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" font-family="system-ui, sans-serif" font-size="11">
<title>${title}</title>
<style>text{fill:#333}.rule{stroke:#8886}@media(prefers-color-scheme:dark){text{fill:#ddd}}</style>
${rules.map((value) => `<line class="rule" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(value)}" y2="${y(value)}"/><text x="${MARGIN.left - 6}" y="${y(value) + 4}" text-anchor="end">${value}×</text>`).join("\n")}
${minutes.map((minute) => `<text x="${x(minute * 60)}" y="${HEIGHT - 14}" text-anchor="middle">${minute + firstMinute} min</text>`).join("\n")}
${[...curves]
  .reverse()
  .map((curve) => `<path d="${path(curve.values, x, y)}" fill="none" stroke="${colours[curves.indexOf(curve)]}" stroke-width="1.2"/>`)
  .join("\n")}
${curves.map(({ name }, index) => `<rect x="${MARGIN.left + index * 262}" y="10" width="10" height="10" fill="${colours[index]}"/><text x="${MARGIN.left + 15 + index * 262}" y="19">${name}</text>`).join("\n")}
</svg>
`;
}

/** The largest value of each column of the picture: a peak of a second must not get lost. */
function path(values: Float64Array, x: (second: number) => number, y: (value: number) => number): string {
  const step = Math.max(1, Math.ceil(values.length / WIDTH));
  const points: string[] = [];
  for (let start = 0; start < values.length; start += step) {
    const most = values.subarray(start, start + step).reduce((one, other) => Math.max(one, other), 0);
    points.push(`${x(start).toFixed(1)} ${y(most).toFixed(1)}`);
  }
  return `M${points.join("L")}`;
}
