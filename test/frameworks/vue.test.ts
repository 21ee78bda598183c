import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { type Component, createApp, createSSRApp, defineComponent, effectScope, h, nextTick, Suspense, type App as VueApp } from "vue";
import { renderToString } from "vue/server-renderer";
import { createMemoryHistory, createRouter, type Router, RouterView } from "vue-router";
import type { Session } from "../../src/types/index.js";
import { sessionPlugin, useSession, useSessionEvent, useSessionInstance } from "../../src/vue.js";
import { HOUR, scene } from "../support/scene.js";

/** The framework needs real time, and the machine may be busy. */
const patiently = { timeout: 15_000 };

let complaints: unknown[][];
beforeEach(() => {
  complaints = [];
  const keep = (...given: unknown[]) => void complaints.push(given.slice(0, 1));
  const spies = [vi.spyOn(console, "warn").mockImplementation(keep), vi.spyOn(console, "error").mockImplementation(keep)];
  return () => {
    for (const spy of spies) spy.mockRestore();
    expect(complaints, "what Vue complained about").toEqual([]);
  };
});

function mount(session: Session, component: Component, prepare: (app: VueApp) => void = () => {}) {
  const container = document.body.appendChild(document.createElement("div"));
  const app = createApp(component).use(sessionPlugin, session);
  prepare(app);
  app.mount(container);
  let mounted = true;
  const unmount = () => {
    if (mounted) app.unmount();
    mounted = false;
    container.remove();
  };
  onTestFinished(unmount);
  return { app, unmount, text: () => container.textContent };
}

const Page = defineComponent(() => {
  const { status, claims, reason } = useSession<{ sub: string }>();
  return () => h("p", [status.value, claims.value?.sub, reason.value].filter(Boolean).join(" "));
});

describe("tokentide/vue", () => {
  it("shows the members of the snapshot as refs: restored, signed in, signed out", async () => {
    const stage = scene();
    const app = stage.start();
    const { text } = mount(app.bare, Page);
    expect(text()).toBe("restoring");
    await stage.clock.until(app.bare.ready);
    await nextTick();
    expect(text()).toBe("signed-out");
    await stage.clock.until(app.bare.signIn(stage.server.signIn("ada")));
    await nextTick();
    expect(text()).toBe("signed-in ada");
    await stage.clock.until(app.bare.signOut());
    await nextTick();
    expect(text()).toBe("signed-out user");
  });

  it("R37 does not render again for a renewal what shows the status only", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    let renders = 0;
    const { text } = mount(app.bare, {
      setup() {
        const { status } = useSession();
        return () => {
          renders += 1;
          return status.value;
        };
      },
    });
    await stage.clock.until(app.bare.refresh());
    await nextTick();
    expect([text(), renders]).toEqual(["signed-in", 1]);
  });

  it("calls the handler at each event, and listens no more when the component is gone", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const heard: boolean[] = [];
    const { unmount } = mount(app.bare, {
      setup() {
        useSessionEvent("refreshed", ({ adopted }) => heard.push(adopted));
        return () => null;
      },
    });
    await stage.clock.until(app.bare.refresh());
    expect(heard).toEqual([false]);
    unmount();
    await stage.clock.until(app.bare.refresh());
    expect(heard).toHaveLength(1);
  });

  it("follows the session in any scope of the app, until that is stopped", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const { app: vue } = mount(app.bare, { render: () => null });
    const scope = effectScope(true);
    const { status } = vue.runWithContext(() => scope.run(() => useSession()))!;
    expect(status.value).toBe("signed-in");
    scope.stop();
    await stage.clock.until(app.bare.signOut());
    expect(status.value).toBe("signed-in");
  });

  it("says what is missing when the plugin was not installed", () => {
    expect(() => createApp(() => null).runWithContext(() => useSessionInstance())).toThrow(/app\.use\(sessionPlugin, session\)/);
  });

  it.each(["at once", "after something asynchronous"])(
    "hydrates without a mismatch in a page that is signed in already, %s",
    async (when) => {
      const stage = scene();
      const app = await stage.signedIn();
      const Late = defineComponent({
        async setup() {
          const { status } = useSession();
          if (when !== "at once") await Promise.resolve();
          return () => (status.value === "signed-in" ? h("h1", "hello") : h("p", status.value));
        },
      });
      const Root = { render: () => h("main", [h(Suspense, null, { default: () => h(Late) }), h(Page)]) };
      const html = await renderToString(createSSRApp(Root).use(sessionPlugin, app.bare));
      expect(html).toBe("<main><p>restoring</p><p>restoring</p></main>");
      const container = document.body.appendChild(document.createElement("div"));
      container.innerHTML = html;
      const main = container.firstChild;
      const vue = createSSRApp(Root).use(sessionPlugin, app.bare);
      vue.mount(container);
      onTestFinished(() => vue.unmount());
      await vi.waitFor(() => expect(container.textContent).toBe("hellosigned-in ada"), patiently);
      expect(container.firstChild).toBe(main);
    },
  );

  it("leaves no listener behind on a server, where no scope ever ends", async () => {
    const app = await scene().signedIn();
    const subscribe = vi.spyOn(app.bare, "subscribe");
    const on = vi.spyOn(app.bare, "on");
    const Root = {
      setup() {
        useSession();
        useSessionEvent("signed-out", () => {});
        return () => null;
      },
    };
    await renderToString(createSSRApp(Root).use(sessionPlugin, app.bare));
    expect([subscribe, on].map((spy) => spy.mock.calls.length)).toEqual([0, 0]);
  });
});

describe("the guard for vue-router in docs/frameworks.md", () => {
  const docs = readFileSync(join(import.meta.dirname, "../../docs/frameworks.md"), "utf8");
  const sample = /\n## Vue\n.*?\n```ts\n(.*?)```\n/s.exec(docs)?.[1] ?? "";
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
  const run = new Function("exports", "session", ts.transpileModule(sample, { compilerOptions }).outputText);
  function guard(router: Router, session: Session) {
    const exported: { guard?(router: Router): void } = {};
    run(exported, session);
    exported.guard?.(router);
  }
  function routes() {
    return createRouter({
      history: createMemoryHistory(),
      routes: [
        { path: "/", component: { render: () => "home" } },
        { path: "/notes/:id", component: { render: () => "note" } },
        { path: "/login", name: "login", meta: { public: true }, component: { render: () => "login" } },
      ],
    });
  }

  it("waits for the restore: somebody signed in never sees the login page", async () => {
    const stage = scene();
    await stage.signedIn();
    const app = stage.start();
    const router = routes();
    guard(router, app.bare);
    const { text } = mount(app.bare, RouterView, (vue) => vue.use(router));
    expect(text()).toBe("");
    await stage.clock.until(router.isReady());
    await nextTick();
    expect(text()).toBe("home");
  });

  it("R87 waits while storage is slow: nobody signed in is sent to the login page, and nobody else is let in", async () => {
    let delay = 1;
    const stage = scene({ world: { delays: { store: () => delay } } });
    const earlier = await stage.signedIn();
    for (const expected of ["home", "login"]) {
      delay = 2_500;
      const app = stage.start();
      const router = routes();
      guard(router, app.bare);
      const { text, unmount } = mount(app.bare, RouterView, (vue) => vue.use(router));
      await stage.clock.until(app.bare.ready);
      expect([app.status(), text()]).toEqual(["restoring", ""]);
      await stage.clock.advance(3_000);
      await vi.waitFor(() => expect(text()).toBe(expected), patiently);
      unmount();
      app.bare.dispose();
      delay = 1;
      await stage.clock.until(earlier.bare.signOut());
    }
  });

  it("leads to the login page, with the way back, and does so when another tab signs out", async () => {
    const stage = scene();
    const [app, other] = [await stage.open(), await stage.open()];
    const router = routes();
    guard(router, app.bare);
    const { text } = mount(app.bare, RouterView, (vue) => vue.use(router));
    await router.isReady();
    expect(router.currentRoute.value.fullPath).toBe("/login?from=/");
    await stage.clock.until(app.bare.signIn(stage.server.signIn()));
    await router.push("/notes/7?draft=1#end");
    await nextTick();
    expect(text()).toBe("note");
    await stage.clock.until(other.bare.signOut());
    await stage.clock.advance(100);
    await vi.waitFor(() => expect(text()).toBe("login"), patiently);
    expect(router.currentRoute.value.query).toEqual({ from: "/notes/7?draft=1#end" });
    // In the place of where nobody may be any more.
    router.back();
    await vi.waitFor(() => expect(router.currentRoute.value.fullPath).toBe("/login?from=/"), patiently);
    await stage.clock.advance(HOUR);
  });
});
