// What the peers that are made for browsers ask of a page, in Node. Loaded with them only: tokentide and the floor do without.
import { Window } from "happy-dom";

const page = new Window({ url: "https://app.example.test/" });
const { document, location, localStorage, sessionStorage, history, navigator } = page;
const events = { addEventListener: page.addEventListener.bind(page), removeEventListener: page.removeEventListener.bind(page) };
for (const [name, value] of Object.entries({ document, location, localStorage, sessionStorage, history, navigator, ...events })) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}
Object.assign(globalThis, { window: globalThis, self: globalThis, isSecureContext: true });
function withResolvers() {
  const parts = {};
  const promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return Object.assign(parts, { promise });
}
// Node 20 has none.
if (!("withResolvers" in Promise)) Object.assign(Promise, { withResolvers });
