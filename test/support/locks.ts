export * from "../../src/testing/locks.js";
