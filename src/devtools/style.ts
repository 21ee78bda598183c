/** In both color schemes, text has a contrast of 4.5 or more with its background. */
export const style = `
:host { all: initial; color-scheme: light dark; --ground: #fff; --text: #1c2430; --faint: #5b6675; --line: #d5dae1; --one: #2f6fd0; --other: #12807a;
  --bad: #c02b2b; --warm: #9a5b00; font: 13px/1.4 system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { :host { --ground: #171b21; --text: #e8ebf0; --faint: #a2adbb; --line: #39424e; --one: #7db0ff; --other: #4fd0c4;
  --bad: #ff8a80; --warm: #f0b45a; } }
.floating { position: fixed; right: 8px; bottom: 8px; z-index: 2147483647; display: flex; flex-direction: column; align-items: flex-end; gap: 6px;
  max-width: calc(100vw - 16px); }
* { box-sizing: border-box; }
button, select { font: inherit; color: var(--text); background: var(--ground); border: 1px solid var(--line); border-radius: 6px; padding: 4px 10px; cursor: pointer; }
:focus-visible { outline: 2px solid var(--one); outline-offset: 2px; }
section { width: 100%; min-width: min(720px, calc(100vw - 16px)); max-height: min(70vh, 560px); display: flex; flex-direction: column; gap: 8px; padding: 10px;
  color: var(--text); background: var(--ground); border: 1px solid var(--line); border-radius: 8px; box-shadow: 0 6px 24px #0003; }
[hidden] { display: none; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 12px; }
header p { margin: 0; flex: 1; min-width: 200px; }
label { display: inline-flex; align-items: center; gap: 4px; color: var(--faint); }
.lanes { overflow: auto; flex: none; max-height: 40%; }
svg { display: block; width: 100%; font-size: 11px; }
text { fill: var(--faint); }
.closed { opacity: .6; }
.life { fill: var(--line); }
.token { fill: var(--one); } .token.odd { fill: var(--other); }
text.number { fill: var(--ground); font-weight: 600; }
.due, .now { stroke: var(--faint); stroke-width: 1.5; fill: none; }
.now { stroke-dasharray: 2 3; }
.wait { stroke: var(--warm); stroke-width: 4; stroke-dasharray: 4 3; }
.held { fill: var(--warm); }
.held.failed { fill: var(--bad); } .wait.failed { stroke: var(--bad); }
.arrival { fill: var(--ground); stroke: var(--text); stroke-width: 2; } .arrival.refreshed { fill: var(--text); } .arrival.signed-in { fill: var(--warm); }
.cross { stroke: var(--bad); stroke-width: 2.5; fill: none; }
.end { fill: var(--bad); } .resent { fill: var(--warm); }
.log { overflow: auto; min-height: 80px; border-top: 1px solid var(--line); }
table { width: 100%; border-collapse: collapse; font: 12px/1.5 ui-monospace, monospace; }
th { position: sticky; top: 0; background: var(--ground); text-align: left; color: var(--faint); }
td, th { padding: 1px 8px 1px 0; vertical-align: top; }
td { overflow-wrap: anywhere; } td:first-child { white-space: nowrap; color: var(--faint); }
.bad { color: var(--bad); }
`;
