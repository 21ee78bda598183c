export * from "../../src/testing/token-server.js";
