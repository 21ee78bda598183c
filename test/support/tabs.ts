import type { Lacks } from "../../src/testing/world.js";
import type { App } from "./app.js";
import type { Scene } from "./scene.js";

/** So many tabs, the first of which has signed in. */
export async function tabs(stage: Scene, count: number, lacks: Lacks = {}): Promise<App[]> {
  const apps = [await stage.open({}, { lacks })];
  await stage.clock.until((apps[0] as App).session.signIn(stage.server.signIn()));
  await stage.clock.advance(50);
  while (apps.length < count) apps.push(await stage.open({}, { lacks }));
  return apps;
}

export const first = (apps: App[]): App => apps[0] as App;
/** The number of the token that each tab would send now. */
export const serials = (stage: Scene, apps: App[]) => apps.map((app) => stage.serial(app));
/** The two ways in which tabs keep out of each other's way. */
export const KINDS: Record<string, Lacks> = { "Web Locks": {}, "the fallback lock": { locks: true } };
