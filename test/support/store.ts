export * from "../../src/testing/store.js";
