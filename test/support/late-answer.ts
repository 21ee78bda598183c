import { expect } from "vitest";
import type { Fault } from "../../src/testing/faults.js";
import type { Lacks } from "../../src/testing/world.js";
import type { App } from "./app.js";
import { HOUR, type SceneOptions, SECOND, scene } from "./scene.js";
import { tabs } from "./tabs.js";

interface Late {
  /** The seconds that the server takes to say that it has rotated. @default 20 */
  answerAfter?: number;
  /** What becomes of the request instead. */
  fault?: Fault | undefined;
  options?: SceneOptions;
  count?: number;
  lacks?: Lacks;
}

/** Tabs whose token has expired ask for the next one, until so many seconds later. The server rotates at once, and answers the first tab late. */
export async function waiting(until: number, { answerAfter = 20, fault, options = {}, count = 2, lacks = {} }: Late = {}) {
  const stage = scene(options);
  const apps = await tabs(stage, count, lacks);
  const [holder, other] = apps as [App, App];
  await stage.clock.sleep(2 * HOUR);
  let requests = 0;
  if (fault) stage.server.faults.push(fault);
  else stage.server.latency = { before: () => 0, after: () => (requests++ === 0 ? answerAfter * SECOND : 0) };
  const start = stage.clock.monotonic();
  for (const { session } of apps) session.getToken().catch(() => {});
  const at = (second: number) => stage.clock.advance(start + second * SECOND - stage.clock.monotonic());
  await at(until);
  expect(stage.holder()).toBe(holder);
  return { stage, apps, holder, other, at };
}
