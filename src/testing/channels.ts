import type { Channel } from "../types/environment.js";
import type { Clock } from "./clock.js";
import type { Tab } from "./tab.js";
import { Wire } from "./wire.js";

/** `BroadcastChannel` of one origin. */
export class ChannelHub {
  /** All messages that were posted, so that a test can search them for tokens. */
  readonly posted: { tab: string; name: string; message: unknown }[] = [];
  /** Whether the hub loses a message on its way. A test sets this function. */
  lose: (message: unknown, from: Tab, to: Tab) => boolean = () => false;
  #clock: Clock;
  #delay: (from: Tab, to: Tab) => number;
  #open = new Set<Endpoint>();

  constructor(clock: Clock, delay: (from: Tab, to: Tab) => number) {
    this.#clock = clock;
    this.#delay = delay;
  }

  open(tab: Tab, name: string): Channel {
    const endpoint = new Endpoint(this, tab, name);
    if (!tab.dead) this.#open.add(endpoint);
    return endpoint;
  }

  openIn(tab: Tab): number {
    return [...this.#open].filter((endpoint) => endpoint.tab === tab).length;
  }

  send(from: Endpoint, message: unknown): void {
    if (from.tab.dead) return;
    if (!this.#open.has(from)) throw new DOMException("Channel is closed", "InvalidStateError");
    const copy: unknown = structuredClone(message);
    this.posted.push({ tab: from.tab.name, name: from.name, message: copy });
    for (const to of this.#open) {
      if (to === from || to.name !== from.name || this.lose(copy, from.tab, to.tab)) continue;
      const delay = to.wireFrom(from, this.#clock).delay(this.#delay(from.tab, to.tab));
      to.tab.post("message", delay, () => {
        if (this.#open.has(to)) to.onmessage?.({ data: structuredClone(copy) });
      });
    }
  }

  shut(endpoint: Endpoint): void {
    this.#open.delete(endpoint);
  }

  forget(tab: Tab): void {
    for (const endpoint of this.#open) if (endpoint.tab === tab) this.#open.delete(endpoint);
  }
}

class Endpoint implements Channel {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  readonly tab: Tab;
  readonly name: string;
  #hub: ChannelHub;
  #wires = new Map<Endpoint, Wire>();

  constructor(hub: ChannelHub, tab: Tab, name: string) {
    this.#hub = hub;
    this.tab = tab;
    this.name = name;
  }

  wireFrom(sender: Endpoint, clock: Clock): Wire {
    const wire = this.#wires.get(sender) ?? new Wire(clock);
    this.#wires.set(sender, wire);
    return wire;
  }

  postMessage(message: unknown): void {
    this.#hub.send(this, message);
  }

  close(): void {
    this.#hub.shut(this);
  }
}
