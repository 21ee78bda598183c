import type { Request } from "playwright-core";
import type { DebugEvent } from "../../src/index.js";
import type { ChromiumTab } from "../browser/harness/chromium.js";
import { type Harvest, harvest } from "./watch.js";

/** Decisions kept of each tab, for the story of what goes wrong. */
const REMEMBERED = 60;

/** A tab of the soak, from its opening on. */
export class TabLife {
  readonly number: number;
  readonly tab: ChromiumTab;
  /** It is never closed: what it leaks shows. */
  readonly stays: boolean;
  /** Whether a request of it to the token endpoint is under way. */
  refreshing = false;
  #story: DebugEvent[] = [];

  constructor(tab: ChromiumTab, { number, stays, tokenEndpoint }: { number: number; stays: boolean; tokenEndpoint: string }) {
    this.tab = tab;
    this.number = number;
    this.stays = stays;
    const ended = (request: Request) => {
      if (request.url() === tokenEndpoint) this.refreshing = false;
    };
    tab.page.on("request", (request) => {
      if (request.url() === tokenEndpoint) this.refreshing = true;
    });
    tab.page.on("requestfinished", ended);
    tab.page.on("requestfailed", ended);
  }

  async harvest(last = false): Promise<Harvest> {
    const taken = await harvest(this.tab, last);
    this.#story = [...this.#story, ...taken.decisions].slice(-REMEMBERED);
    return taken;
  }

  /** The session's own account of its last decisions; no token is in it. */
  get story(): string[] {
    return this.#story.map(({ at, type, tab: _tab, ...details }) => `${at} tab ${this.number} ${type} ${JSON.stringify(details)}`);
  }

  /** Bytes of the JavaScript heap in use, once what nobody holds is gone. */
  async memory(): Promise<number> {
    const session = await this.tab.page.context().newCDPSession(this.tab.page);
    await session.send("HeapProfiler.collectGarbage");
    await session.send("Performance.enable");
    const { metrics } = await session.send("Performance.getMetrics");
    await session.detach();
    return metrics.find(({ name }) => name === "JSHeapUsedSize")?.value ?? Number.NaN;
  }
}
