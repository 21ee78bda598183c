export * from "../../src/testing/network.js";
