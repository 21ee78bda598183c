export * from "../../src/testing/channels.js";
