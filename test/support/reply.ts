export * from "../../src/testing/reply.js";
