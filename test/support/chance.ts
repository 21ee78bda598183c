export * from "../../src/testing/chance.js";
