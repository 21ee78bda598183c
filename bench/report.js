const ratio = (/** @type {any} */ it) =>
  it ? `${it.median.toFixed(2)} (${it.quartiles.map((/** @type {number} */ value) => value.toFixed(2)).join("–")})` : "–";

export function markdown(/** @type {any} */ { node, rounds, date, versions, sizes, parts, stub, building, storms }) {
  const names = [...new Set(["header by hand", ...Object.keys(sizes)])];
  const row = (/** @type {string} */ name) => {
    const storm = storms[name];
    const size = sizes[name] ? sizes[name].toFixed(1) : "–";
    return `| ${name}${versions[name] ? ` ${versions[name]}` : ""} | ${size} | ${ratio(stub[name])} | ${ratio(building[name])} | ${storm ? `${storm.refreshes} / ${storm.failed} / ${storm.calls}` : "–"} |`;
  };
  return `# Benchmarks

Written by \`npm run bench\` on ${date}, Node ${node}, ${rounds} rounds. Times are ratios within one run, in which all take turns; the median, and in brackets the quartiles. Nothing else is comparable between machines.

| | brotli kB | one call, bare stub | one call, the stub builds a Request | 1000 calls, token revoked: refreshes / failed / sent |
| --- | --- | --- | --- | --- |
${names.map(row).join("\n")}

## What the core is made of

${parts
  .map((/** @type {any} */ { part, kilobytes, why }) => `| ${part} | ${kilobytes.toFixed(1)} | ${why} |`)
  .join("\n")
  .replace(/^/, "| part | kB | what for |\n| --- | --- | --- |\n")}

Each folder's share of the minified bytes, of the compressed whole.

## How to read it

- Each was first shown to do it once: a call with a fresh token that the API accepts, without a refresh. The glue is in \`bench/contestants.js\`.
- Sizes are esbuild's bundles for browsers of ES2022, minified, Brotli 11. The stub is \`async () => new Response("{}")\`; calls are to a string URL, and the one by hand sets the header.
- A dash: not measured. Of the clients that bring a login of their own, only the size is.
- The machine was busy with other work meanwhile; that is in the quartiles.
`;
}
