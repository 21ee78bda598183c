export { type Chance, fixed, seeded } from "./testing/chance.js";
export type { ClockOptions } from "./testing/clock.js";
export { type Fault, faults } from "./testing/faults.js";
export type { GrantOptions } from "./testing/grants.js";
export { makeJwt } from "./testing/jwt.js";
export { type MswHttp, mswHandlers } from "./testing/msw.js";
export {
  Clock,
  type Delays,
  type Lacks,
  type ServerClock,
  TokenServer,
  type TokenServerOptions,
  World,
  type WorldOptions,
  type WorldTab,
} from "./testing/public.js";
export { type Answer, json, type Reply, type Server } from "./testing/reply.js";
export { createTestSession, type TestSession, type TestSessionOptions, type TestTab } from "./testing/test-session.js";
export type { VaultWorkerOptions } from "./testing/workers.js";
