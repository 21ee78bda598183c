export * from "../../src/testing/clock.js";
