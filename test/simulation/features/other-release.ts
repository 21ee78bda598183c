// Another release of the library: `scripts/simulation.js` bundles `src/` once more for this file, with the patches of that release.
export * from "./library.js";
