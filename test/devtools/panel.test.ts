// @vitest-environment happy-dom
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { type DevtoolsOptions, mountDevtools } from "../../src/devtools.js";
import type { App } from "../support/app.js";
import { type SceneOptions, SECOND, scene } from "../support/scene.js";
import { expectNoSecret } from "../support/secrets.js";

const CHANNEL = "tokentide-devtools:default";

/** A tab with a session and its panel, which sees the tab's clock: the page has no other. */
async function withPanel(options: DevtoolsOptions = {}, sceneOptions: SceneOptions = {}) {
  const stage = scene(sceneOptions);
  vi.spyOn(Date, "now").mockImplementation(() => stage.clock.now());
  const app = await stage.signedIn();
  return { stage, app, ...mount(app, { open: true, ...options }) };
}

function mount({ bare }: Pick<App, "bare">, options: DevtoolsOptions) {
  const unmount = mountDevtools(bare, options);
  onTestFinished(unmount);
  const host = [...document.querySelectorAll("[data-tokentide-devtools]")].at(-1) as HTMLElement;
  const root = host.shadowRoot as ShadowRoot;
  const query = <E extends Element = HTMLElement>(selector: string) => root.querySelector<E>(selector)!;
  return {
    unmount,
    host,
    root,
    query,
    log: () => [...root.querySelectorAll("tbody tr")].map((row) => [...row.children].slice(1).map((cell) => cell.textContent)),
    lanes: () => query("svg").getAttribute("aria-label"),
  };
}

/** Another page of this origin, of whatever kind. */
function stranger() {
  const channel = new BroadcastChannel(CHANNEL);
  const heard: unknown[] = [];
  channel.onmessage = ({ data }) => heard.push(data);
  onTestFinished(() => channel.close());
  return { heard, say: (word: unknown) => channel.postMessage(word) };
}

describe("the panel", () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });

  it("is a button with the status until somebody opens it, by key or pointer, and Escape takes one back to the button", async () => {
    const { app, stage, query } = await withPanel({ open: false });
    const [button, section] = [query("button[aria-controls]"), query("section")];
    expect([button.textContent, button.getAttribute("aria-expanded"), section.hidden]).toEqual(["tokentide: signed in", "false", true]);
    button.click();
    expect([button.getAttribute("aria-expanded"), section.hidden]).toEqual(["true", false]);
    const focus = vi.spyOn(button, "focus");
    section.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
    expect([button.getAttribute("aria-expanded"), section.hidden, focus.mock.calls.length]).toEqual(["false", true, 1]);
    await stage.clock.until(app.session.signOut());
    expect(button.textContent).toBe("tokentide: signed out");
  });

  it("R39 shows tokens, events and decisions, and neither a token nor a claim", async () => {
    const { app, stage, query, root, log, lanes } = await withPanel({}, { server: { claims: { email: "ada@example.com" } } });
    await stage.clock.advance(5 * SECOND);
    await stage.clock.until(app.session.refresh());
    await vi.waitFor(() => expect(lanes()).toContain("This tab: token 2, refreshed 0 s ago."));
    expect(query("p").textContent).toMatch(/^signed in, the token expires in \d+ \w+, the next refresh is due in \d+ \w+$/);
    expect(log()).toContainEqual([
      "this",
      "refreshed",
      expect.stringMatching(/^token 2, expiresAt [\d:.]+, dueAt [\d:.]+, adopted false$/),
    ]);
    expect(log()).toContainEqual(["this", "refresh-started", expect.stringContaining("cause requested, attempt 1")]);
    expectNoSecret(stage.server.grants.secrets, root.innerHTML, "the panel");
    expect(root.innerHTML).not.toContain("ada@example.com");
  });

  it("shows of each kind what is asked for, and forgets it when told to", async () => {
    const { query, root, log } = await withPanel();
    await vi.waitFor(() => expect(log().length).toBeGreaterThan(0));
    const box = [...root.querySelectorAll("label")].find(({ textContent }) => textContent === "events")?.querySelector("input");
    box?.click();
    await vi.waitFor(() => expect(log()).toEqual([]));
    box?.click();
    await vi.waitFor(() => expect(log().map(([, name]) => name)).toEqual(["already-signed-in"]));
    query("header button").click();
    await vi.waitFor(() => expect(log()).toEqual([]));
  });

  it("has a lane for each tab: the one that asked, and the one that adopted", async () => {
    const { app, stage, lanes, log, unmount } = await withPanel();
    const other = await stage.open();
    const second = mount(other, { open: true });
    await vi.waitFor(() => expect(lanes()).toMatch(/^This tab: .*Tab \w+: /));
    await stage.clock.until(app.session.refresh());
    await stage.clock.advance(50);
    await vi.waitFor(() => expect(lanes()).toMatch(/^This tab: token 2, refreshed .*Tab \w+: token 2, adopted/));
    await vi.waitFor(() => expect(second.lanes()).toMatch(/^Tab \w+: token 2, refreshed .*This tab: token 2, adopted/));
    expect(log().some(([tab, name]) => tab !== "this" && name === "refreshed")).toBe(true);
    unmount();
    await vi.waitFor(() => expect(second.lanes()).toMatch(/^Tab \w+: closed\. This tab: /));
  });

  it("R39 tells other pages nothing that is a token", async () => {
    const { heard } = stranger();
    const { app, stage } = await withPanel();
    stage.server.grants.expireAccessTokens();
    await stage.call(app);
    await vi.waitFor(() => expect(JSON.stringify(heard)).toContain("request-resent"));
    expectNoSecret(stage.server.grants.secrets, heard, "what the panels tell each other");
  });

  it("believes no other page: what is no lane is left out, what is text stays text, and there is an end to it", async () => {
    const { say } = stranger();
    const { lanes, log, root } = await withPanel();
    const entries = [
      { at: Date.now(), of: "event", name: "<img src=x>", details: { "<b>": "<i>bold</i>", token: "x".repeat(40) } },
      { at: "now" },
    ];
    for (const word of [null, 7, "lane", {}, { type: "lane" }, { type: "lane", id: "<b>", since: 1, entries: [] }]) say(word);
    for (const since of [Number.NaN, "1", 1e300]) say({ type: "lane", id: "bad1", since, entries });
    say({ type: "lane", id: "bad2", since: 1, entries: "many" });
    for (let lane = 100; lane < 150; lane++) say({ type: "lane", id: `a${lane}`, since: lane, entries: lane === 100 ? entries : [] });
    await vi.waitFor(() => expect(lanes()).toContain("Tab a118"));
    expect(lanes()?.match(/Tab \w+/g)).toHaveLength(19);
    expect(lanes()).not.toMatch(/bad|<b>/);
    expect(log().filter(([tab]) => tab !== "this")).toEqual([["a100", "<img src=x>", "<b> <i>bold</i>, token …"]]);
    expect(root.querySelectorAll("img, b, i")).toHaveLength(0);
  });

  it("has room for a tab that comes when many have gone, and for its token among a thousand requests", async () => {
    const { say } = stranger();
    const { lanes } = await withPanel();
    for (let lane = 100; lane < 119; lane++) say({ type: "lane", id: `a${lane}`, since: lane, entries: [] });
    say({ type: "bye", id: "a104" });
    say({ type: "lane", id: "late", since: Date.now(), entries: [] });
    say({ type: "entry", id: "late", entry: { at: Date.now(), of: "event", name: "signed-in", details: { token: 7 } } });
    const request = { at: Date.now() + 1, of: "request", name: "fetch", details: {} };
    for (let count = 0; count < 1000; count++) say({ type: "entry", id: "late", entry: request });
    say({ type: "bye", id: "a105" });
    await vi.waitFor(() => expect(lanes()).toContain("Tab a105: closed."));
    expect(lanes()).toContain("Tab late: token 7, signed in");
    expect(lanes()).not.toContain("Tab a104");
  });

  it("asks the other tabs whether they are there, and says of one that does not answer that it does not", async () => {
    const { say, heard } = stranger();
    const { stage, lanes } = await withPanel();
    say({ type: "lane", id: "frozen", since: 1, entries: [] });
    await vi.waitFor(() => expect(lanes()).toContain("Tab frozen: no token."));
    expect(heard).toContainEqual({ type: "ask" });
    await stage.clock.advance(13 * SECOND);
    await vi.waitFor(() => expect(lanes()).toContain("Tab frozen: does not answer."), { timeout: 5000 });
    say({ type: "here", id: "frozen" });
    await vi.waitFor(() => expect(lanes()).toContain("Tab frozen: no token."));
  });

  it("lets go of its channel while the page is away, and asks what happened when it is back", async () => {
    const { heard } = stranger();
    const { lanes } = await withPanel();
    await vi.waitFor(() => expect(lanes()).not.toBeNull());
    window.dispatchEvent(new Event("pagehide"));
    await vi.waitFor(() => expect(heard.at(-1)).toMatchObject({ type: "bye" }));
    heard.length = 0;
    window.dispatchEvent(new Event("pageshow"));
    await vi.waitFor(() => expect(heard.map((word) => (word as { type: string }).type)).toEqual(expect.arrayContaining(["hello", "lane"])));
  });

  it("shows the page's requests, without what an address may carry", async () => {
    let tell: (list: { getEntries(): object[] }) => void = () => {};
    const disconnect = vi.fn();
    class Observer {
      static readonly supportedEntryTypes = ["resource"];
      readonly disconnect = disconnect;
      constructor(listener: typeof tell) {
        tell = listener;
      }
      observe() {}
    }
    vi.stubGlobal("PerformanceObserver", Observer);
    const { log, unmount } = await withPanel();
    const request = {
      initiatorType: "fetch",
      startTime: 0,
      duration: 12.3,
      name: "https://api.example.com/me?code=secret",
      responseStatus: 401,
    };
    tell({
      getEntries: () => [request, { ...request, initiatorType: "img" }, { ...request, initiatorType: "xmlhttprequest", responseStatus: 0 }],
    });
    const requests = () => log().filter(([, name]) => name === "fetch" || name === "xmlhttprequest");
    await vi.waitFor(() => expect(requests()).toHaveLength(2));
    expect(requests().map(([, , details]) => details)).toEqual(
      expect.arrayContaining([
        "url https://api.example.com/me, status 401, milliseconds 12",
        "url https://api.example.com/me, milliseconds 12",
      ]),
    );
    unmount();
    expect(disconnect).toHaveBeenCalledOnce();
  });

  it("is put where the app wants it, and is gone with all it had when it is unmounted: no element, listener, timer or channel", async () => {
    const kept = { listeners: 0, channels: 0, timers: 0 };
    const listeners = new Set<unknown>();
    const [add, remove] = [globalThis.addEventListener, globalThis.removeEventListener];
    vi.stubGlobal("addEventListener", (...given: Parameters<typeof add>) => {
      listeners.add(given[1]);
      add(...given);
    });
    vi.stubGlobal("removeEventListener", (...given: Parameters<typeof remove>) => {
      listeners.delete(given[1]);
      remove(...given);
    });
    class Channel extends BroadcastChannel {
      constructor(name: string) {
        super(name);
        kept.channels++;
      }
      override close() {
        kept.channels--;
        super.close();
      }
    }
    vi.stubGlobal("BroadcastChannel", Channel);
    const parent = document.body.appendChild(document.createElement("aside"));
    const stage = scene();
    const app = await stage.signedIn();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const subscribed = vi.spyOn(app.bare, "subscribe");
    const { unmount } = mount(app, { open: true, parent, name: "mine" });
    expect(parent.firstElementChild?.getAttribute("data-tokentide-devtools")).toBe("mine");
    expect(parent.firstElementChild?.shadowRoot?.querySelector(".floating")).toBeNull();
    Object.assign(kept, { timers: vi.getTimerCount(), listeners: listeners.size });
    expect(kept).toEqual({ listeners: 2, channels: 1, timers: 2 });
    expect(subscribed).toHaveBeenCalledOnce();
    unmount();
    unmount();
    Object.assign(kept, { timers: vi.getTimerCount(), listeners: listeners.size });
    expect([kept, parent.children.length]).toEqual([{ listeners: 0, channels: 0, timers: 0 }, 0]);
  });
});
