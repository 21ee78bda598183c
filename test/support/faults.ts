export * from "../../src/testing/faults.js";
