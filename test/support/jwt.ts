export * from "../../src/testing/jwt.js";
