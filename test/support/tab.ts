export * from "../../src/testing/tab.js";
