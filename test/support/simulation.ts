import { expect } from "vitest";
import type { App } from "./app.js";
import { between, type Chance, seeded } from "./chance.js";
import { down, type Fault, gatewayTimeout, hangsAfterRotating, html, lostAnswer, slow, throttled, unreachable } from "./faults.js";
import { MINUTE, Scene, SECOND } from "./scene.js";
import { TOKEN_ENDPOINT } from "./token-server.js";
import type { Lacks } from "./world.js";

/** `gentle`: nothing happens that loses an answer of the server, so nothing may go wrong at all. `rough`: everything happens. */
export type Weather = "gentle" | "rough";

interface Pending {
  readonly what: string;
  readonly app: App;
  readonly since: number;
  /** A page that stands still settles nothing. */
  stalled: boolean;
  settled: boolean;
}

/** Documented: `getToken` and `refresh` settle within 2 × `refreshTimeout` + 5 s. */
const LIMIT = 25 * SECOND;
const GENTLE_FAULTS: Fault[] = [down(), down(500), unreachable, html(403), throttled(3), slow(4_000)];
const ROUGH_FAULTS: Fault[] = [...GENTLE_FAULTS, lostAnswer, hangsAfterRotating, gatewayTimeout, slow(15_000)];

/** Some tabs, an hour or so of a life that a seed draws, and what must hold all the time. The same seed is the same life. */
export class Simulation {
  readonly stage: Scene;
  readonly history: string[] = [];
  #chance: Chance;
  #weather: Weather;
  #lacks: Lacks;
  #pending: Pending[] = [];
  #still = new Set<App>();

  constructor(seed: number, weather: Weather) {
    this.#chance = seeded(seed);
    this.#weather = weather;
    const pick = <T>(list: readonly T[]): T => this.#pick(list);
    const spread = pick([2, 20, 200]);
    const any = between(this.#chance, 0, spread);
    this.#lacks = pick<Lacks>([{}, {}, { locks: true }, { locks: true, channel: true }, { locks: "rejects" }]);
    this.stage = new Scene({
      server: { accessSeconds: pick([5, 30, 60, 300]) },
      world: { chance: this.#chance, delays: { message: any, lock: any, store: between(this.#chance, 0, pick([2, 20])), network: any } },
    });
    this.stage.server.latency = { before: between(this.#chance, 0, 300), after: between(this.#chance, 0, 300) };
    this.#note(`${JSON.stringify(this.#lacks)}, tokens of ${this.stage.server.grants.options.accessSeconds} s, delays up to ${spread} ms`);
  }

  async run(steps: number): Promise<void> {
    const { stage } = this;
    const count = 2 + Math.floor(this.#chance() * 7);
    for (let index = 0; index < count; index += 1) await stage.open({}, { lacks: this.#lacks });
    await stage.clock.until((stage.apps[0] as App).session.signIn(stage.server.signIn()));
    await stage.clock.advance(2 * SECOND);
    for (let step = 0; step < steps; step += 1) {
      await this.#act();
      await stage.clock.advance(this.#pick([0, 1, 20, 300, 2 * SECOND, 10 * SECOND]) * this.#chance());
      this.#check();
    }
    await this.#calmDown();
  }

  #living(): App[] {
    return this.stage.apps.filter(({ tab }) => !tab.dead);
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#chance() * list.length)] as T;
  }

  #note(text: string): void {
    this.history.push(`${Math.round(this.stage?.clock.monotonic() ?? 0)} ${text}`);
  }

  async #act(): Promise<void> {
    const { stage } = this;
    const app = this.#pick(this.#living());
    const name = app.tab.name;
    const rough = this.#weather === "rough";
    const actions: (() => unknown)[] = [
      () => this.#ask("getToken", app, () => app.session.getToken()),
      () => this.#ask("getToken", app, () => app.session.getToken()),
      () => this.#ask("refresh", app, () => app.session.refresh()),
      () => void app.session.fetch("https://api.example.test/me").catch(() => {}),
      () => this.#each(`everybody asks`, (one) => this.#ask("getToken", one, () => one.session.getToken())),
      () => this.#each(`everybody wakes`, (one) => one.tab.signal("wake")),
      () => this.#noted(`${name} wakes`, () => app.tab.signal("wake")),
      () => this.#noted(`${name} online`, () => app.tab.signal("online")),
      () => this.#noted("a fault", () => stage.server.faults.push(this.#pick(rough ? ROUGH_FAULTS : GENTLE_FAULTS))),
      () => this.#noted("tokens expire", () => stage.server.grants.expireAccessTokens()),
      () => this.#standStill(app, rough ? 60 * SECOND : 12 * SECOND),
      () => this.#sleep(),
      () => this.#noted("clock jumps", () => stage.clock.jump((this.#chance() - 0.5) * this.#pick([10 * SECOND, MINUTE, 120 * MINUTE]))),
      () => this.#noted("a new tab", () => void stage.start({}, { tab: stage.world.tab(undefined, this.#lacks) })),
      () => this.#end(app),
      () => this.#offline(),
    ];
    await this.#pick(actions)();
  }

  #noted(text: string, act: () => void): void {
    this.#note(text);
    act();
  }

  #each(text: string, act: (app: App) => void): void {
    this.#note(text);
    for (const app of this.#living()) act(app);
  }

  #ask(what: string, app: App, ask: () => Promise<unknown>): void {
    this.#note(`${app.tab.name} ${what}`);
    const pending: Pending = { what, app, since: this.stage.clock.monotonic(), stalled: this.#still.has(app), settled: false };
    const settled = () => {
      pending.settled = true;
    };
    ask().then(settled, settled);
    this.#pending.push(pending);
  }

  #standStill(app: App, longest: number): void {
    if (this.#still.has(app)) return;
    const span = this.#chance() * longest;
    const way = this.#weather === "rough" ? this.#pick(["freeze", "block", "cache"]) : this.#pick(["freeze", "block"]);
    this.#note(`${app.tab.name} ${way} for ${Math.round(span)}`);
    this.#still.add(app);
    for (const pending of this.#pending) if (pending.app === app) pending.stalled = true;
    app.tab.catchUp = this.#pick(["as-due", "timers-first", "timers-last"]);
    if (way === "block") app.tab.block(span);
    else if (way === "cache") app.tab.enterCache();
    else app.tab.freeze();
    this.stage.clock.after(span, () => {
      this.#still.delete(app);
      this.#note(`${app.tab.name} is back`);
      if (way === "cache") app.tab.leaveCache();
      else if (way === "freeze") app.tab.thaw();
    });
  }

  async #sleep(): Promise<void> {
    const span = this.#chance() * this.#pick([5 * SECOND, MINUTE, 30 * MINUTE]);
    const counted = this.#chance() < 0.5;
    this.#note(`sleep for ${Math.round(span)}${counted ? ", counted" : ""}`);
    for (const pending of this.#pending) pending.stalled = true;
    await this.stage.clock.sleep(span, { counted });
  }

  /** A gentle world ends a tab only between its refreshes: what it would have been told is lost for good on a strict server. */
  #end(app: App): void {
    if (this.#living().length < 2 || this.#still.has(app)) return;
    if (this.#weather === "gentle" && this.#refreshing()) return;
    this.#note(`${app.tab.name} ends`);
    if (this.#chance() < 0.5) app.tab.crash();
    else app.tab.close();
  }

  /** From the mark to the commit, in whatever tab. */
  #refreshing(): boolean {
    const { stores } = this.stage.world;
    return stores.names().some((name) => (stores.read(name) as { refreshing?: unknown }).refreshing !== undefined);
  }

  #offline(): void {
    const { network } = this.stage.world;
    if (network.offline || (this.#weather === "gentle" && this.#refreshing())) return;
    this.#note("offline");
    network.offline = true;
    this.stage.clock.after(this.#chance() * 20 * SECOND, () => {
      network.offline = false;
      this.#note("online again");
    });
  }

  #check(): void {
    const { server, clock } = this.stage;
    if (this.#weather === "gentle") {
      expect(server.stats.reused, "refresh tokens presented twice").toBe(0);
      expect(server.stats.maximumInFlight, "refreshes under way together").toBeLessThanOrEqual(1);
      for (const app of this.#living()) expect(app.count("signed-out"), `sign-outs in ${app.tab.name}`).toBe(0);
    }
    this.#pending = this.#pending.filter(({ settled, app }) => !settled && !app.tab.dead);
    for (const { what, app, since, stalled } of this.#pending) {
      if (!stalled) expect(clock.monotonic() - since, `${what} of ${app.tab.name} is not settled`).toBeLessThanOrEqual(LIMIT + 2 * SECOND);
    }
    this.#checkWrites();
    this.#checkEvents();
  }

  /** What is told happened once: a request fails once, and a token is renewed by one tab. */
  #checkEvents(): void {
    const { apps, server, world } = this.stage;
    const sent = world.network.sent.filter(({ url }) => url === TOKEN_ENDPOINT).length;
    const failed = apps.reduce((sum, app) => sum + app.count("refresh-failed"), 0);
    const renewed = apps.reduce((sum, app) => sum + app.payloads("refreshed").filter(({ adopted }) => !adopted).length, 0);
    for (const app of apps) {
      expect(app.tab.reports, `reports in ${app.tab.name}`).toEqual([]);
      expect(app.count("signed-in"), `sign-ins in ${app.tab.name}`).toBeLessThanOrEqual(1);
      expect(app.count("claims-changed") + app.count("user-changed"), `other claims in ${app.tab.name}`).toBe(0);
    }
    expect(failed, "failures told, of all requests").toBeLessThanOrEqual(sent);
    expect(renewed, "renewals told, of all that the server made").toBeLessThanOrEqual(server.stats.refreshes);
  }

  /** A committed version is never overwritten by an older one. */
  #checkWrites(): void {
    let before = { epoch: 0, version: 0, fence: 0, signedIn: true };
    for (const { value } of this.stage.world.stores.writes) {
      const record = value as typeof before;
      expect(record.epoch, "the epoch went back").toBeGreaterThanOrEqual(before.epoch);
      expect(record.version, "the version went back").toBeGreaterThanOrEqual(before.version);
      if (record.epoch === before.epoch && !before.signedIn) expect(record.signedIn, "a session came back").toBe(false);
      before = record;
    }
  }

  /** The server answers, all tabs run: within a bound, everybody has the same good token, or everybody knows that it is over. */
  async #calmDown(): Promise<void> {
    const { stage } = this;
    this.#note("calm");
    stage.server.faults.length = 0;
    await stage.clock.advance(5 * MINUTE);
    this.#check();
    expect(
      this.#pending.filter(({ stalled }) => !stalled),
      "calls that never settled",
    ).toEqual([]);
    for (const app of this.#living()) app.tab.signal("wake");
    await stage.clock.advance(MINUTE);
    const living = this.#living();
    const states = new Set(living.map((app) => app.bare.getSnapshot().status));
    expect([...states], "what the tabs believe").toHaveLength(1);
    if (this.#weather === "gentle") expect([...states]).toEqual(["signed-in"]);
    if (states.has("signed-in")) {
      for (const app of living) expect(await stage.call(app), `the API's answer to ${app.tab.name}`).toBe(200);
      // Without a channel a tab looks for a newer token when its own has run out.
      if (!this.#lacks.channel) await this.#agree(living);
    } else {
      for (const app of living) expect(app.count("signed-out"), `sign-outs in ${app.tab.name}`).toBeLessThanOrEqual(1);
    }
  }

  /** All on one token; just after a rotation the news is still on its way to some. */
  async #agree(apps: App[]): Promise<void> {
    const different = () => new Set(apps.map((app) => this.stage.serial(app))).size - 1;
    for (let look = 0; look < 5 && different() > 0; look += 1) await this.stage.clock.advance(200);
    expect(different(), "different tokens").toBe(0);
  }
}
