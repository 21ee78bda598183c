export * from "../../src/testing/grants.js";
