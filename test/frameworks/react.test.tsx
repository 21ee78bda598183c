import { act, type ReactNode, StrictMode, Suspense, startTransition, useState, version } from "react";
import { createRoot, hydrateRoot, type Root } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { SessionGuard, SessionProvider, useClaims, useReady, useSession, useSessionEvent, useSessionInstance } from "../../src/react.js";
import type { Session, SessionEvents, Snapshot } from "../../src/types/index.js";
import { HOUR, type Scene, scene } from "../support/scene.js";

declare global {
  var IS_REACT_ACT_ENVIRONMENT: boolean;
}

/** The framework needs real time, and the machine may be busy. */
const patiently = { timeout: 15_000 };

let complaints: unknown[][];
beforeEach(() => {
  globalThis.IS_REACT_ACT_ENVIRONMENT = true;
  complaints = [];
  const spy = vi.spyOn(console, "error").mockImplementation((...given) => void complaints.push(given));
  return () => {
    spy.mockRestore();
    expect(complaints, "what React complained about").toEqual([]);
  };
});

/** A page with the elements in it, below a provider. */
async function mount(session: Session, children: ReactNode) {
  const container = document.body.appendChild(document.createElement("div"));
  let root: Root;
  await act(async () => {
    root = createRoot(container);
    root.render(<SessionProvider session={session}>{children}</SessionProvider>);
  });
  onTestFinished(async () => {
    await act(async () => root.unmount());
    container.remove();
  });
  return {
    container,
    text: () => container.textContent,
    render: (next: ReactNode) => act(async () => root.render(next)),
  };
}

/** Lets virtual time run as part of what React is told about. */
const during = (stage: Scene, start: () => Promise<unknown>) => act(async () => void (await stage.clock.until(start())));

const Status = () => <>{useSession((snapshot) => snapshot.status)}</>;

describe(`tokentide/react in React ${version}`, () => {
  it("shows the snapshot, and renders again when it changes: restored, signed in, signed out", async () => {
    const stage = scene();
    const app = stage.start();
    const Page = () => {
      const { status, claims, reason } = useSession<{ sub: string }>();
      return <>{[status, claims?.sub, reason].filter(Boolean).join(" ")}</>;
    };
    const page = await mount(app.bare, <Page />);
    expect(page.text()).toBe("restoring");
    await during(stage, () => app.bare.ready);
    expect(page.text()).toBe("signed-out");
    await during(stage, () => app.bare.signIn(stage.server.signIn("ada")));
    expect(page.text()).toBe("signed-in ada");
    await during(stage, () => app.bare.signOut());
    expect(page.text()).toBe("signed-out user");
  });

  it("R37 with a selector, renders only when what it selects changes: a renewal is nobody's business", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    let renders = 0;
    const Page = () => {
      renders += 1;
      return <>{useSession((snapshot) => snapshot.status)}</>;
    };
    const page = await mount(app.bare, <Page />);
    const { expiresAt } = app.bare.getSnapshot();
    await during(stage, () => app.bare.refresh());
    await act(() => stage.clock.advance(HOUR));
    expect(app.bare.getSnapshot().expiresAt).toBeGreaterThan(expiresAt ?? Infinity);
    expect([page.text(), renders]).toEqual(["signed-in", 1]);
  });

  it("takes a selector that makes a new object each time, without an endless loop", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    let renders = 0;
    const Page = () => {
      renders += 1;
      const { status, sub } = useSession((snapshot) => ({ status: snapshot.status, sub: snapshot.claims?.sub }));
      return <>{`${status} ${sub}`}</>;
    };
    const page = await mount(app.bare, <Page />);
    expect([page.text(), renders]).toEqual(["signed-in ada", 1]);
    await during(stage, () => app.bare.signOut());
    expect(page.text()).toBe("signed-out undefined");
    expect(renders).toBeLessThanOrEqual(3);
  });

  it("gives the claims, null when nobody is signed in", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const Page = () => <>{useClaims<{ sub: string }>()?.sub ?? "nobody"}</>;
    const page = await mount(app.bare, <Page />);
    expect(page.text()).toBe("ada");
    await during(stage, () => app.bare.signOut());
    expect(page.text()).toBe("nobody");
  });

  it("R35 calls the handler of the last render, once for each event under StrictMode, and not after unmounting", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const heard: string[] = [];
    const Listener = ({ name }: { name: string }) => {
      useSessionEvent("refreshed", ({ adopted }: SessionEvents["refreshed"]) => heard.push(`${name} ${adopted}`));
      return null;
    };
    const page = (child: ReactNode) => (
      <StrictMode>
        <SessionProvider session={app.bare}>{child}</SessionProvider>
      </StrictMode>
    );
    const { render } = await mount(app.bare, null);
    await render(page(<Listener name="first" />));
    await render(page(<Listener name="second" />));
    await during(stage, () => app.bare.refresh());
    expect(heard).toEqual(["second false"]);
    await render(page(null));
    await during(stage, () => app.bare.refresh());
    expect(heard).toHaveLength(1);
  });

  it("says what is missing when there is no provider", () => {
    expect(() => renderToString(<Status />)).toThrow(/<SessionProvider session=/);
  });

  it("hands out the session for handlers", async () => {
    const stage = scene();
    const app = await stage.signedIn();
    const SignOut = () => {
      const session = useSessionInstance();
      return <button type="button" onClick={() => void session.signOut()} />;
    };
    const page = await mount(app.bare, <SignOut />);
    page.container.querySelector("button")?.click();
    await act(() => stage.clock.advance(200));
    expect(app.status()).toBe("signed-out: user");
  });

  it("R35 goes over to another session that takes the place of the first, as hot reloading does", async () => {
    const stage = scene();
    const first = await stage.signedIn();
    const heard: string[] = [];
    const Page = () => {
      useSessionEvent("signed-out", ({ reason }) => heard.push(reason));
      return <Status />;
    };
    const page = await mount(first.bare, <Page />);
    first.bare.dispose();
    const second = stage.start({}, { tab: first.tab });
    await page.render(
      <SessionProvider session={second.bare}>
        <Page />
      </SessionProvider>,
    );
    await during(stage, () => second.bare.ready);
    expect(page.text()).toBe("signed-in");
    await during(stage, () => second.bare.signOut());
    expect([page.text(), heard]).toEqual(["signed-out", ["user"]]);
  });
});

describe("SessionGuard", () => {
  const guarded = (
    <SessionGuard restoring="one moment" signedOut="the login page">
      the secret
    </SessionGuard>
  );

  it("never shows the login page to somebody whose session is being restored", async () => {
    const stage = scene();
    await stage.signedIn();
    const reopened = stage.start();
    const page = await mount(reopened.bare, guarded);
    const seen = [page.text()];
    new MutationObserver(() => seen.push(page.text())).observe(page.container, { childList: true, characterData: true, subtree: true });
    await during(stage, () => reopened.bare.ready);
    expect([...new Set(seen), page.text()]).toEqual(["one moment", "the secret", "the secret"]);
  });

  it("shows it when another tab signs out", async () => {
    const stage = scene();
    const here = await stage.signedIn();
    const elsewhere = await stage.open();
    const page = await mount(here.bare, guarded);
    expect(page.text()).toBe("the secret");
    await during(stage, () => elsewhere.bare.signOut());
    await act(() => stage.clock.advance(100));
    expect(page.text()).toBe("the login page");
  });
});

describe("useReady", () => {
  const Ready = () => {
    useReady();
    return <Status />;
  };
  const page = (
    <Suspense fallback="one moment">
      <Ready />
    </Suspense>
  );

  it("suspends until the session is restored", async () => {
    const stage = scene();
    await stage.signedIn();
    const reopened = stage.start();
    const { text } = await mount(reopened.bare, page);
    expect(text()).toBe("one moment");
    await during(stage, () => reopened.bare.ready);
    expect(text()).toBe("signed-in");
  });

  it("lets go when the session was disposed of while it was being restored", async () => {
    const app = scene().start();
    const { text } = await mount(app.bare, page);
    await act(async () => app.bare.dispose());
    await act(async () => {});
    expect(text()).toBe("restoring");
  });
});

describe("server rendering", () => {
  const Page = () => (
    <main>
      <SessionGuard restoring={<p>one moment</p>} signedOut={<a href="/login">sign in</a>}>
        <h1>hello, {useClaims()?.sub as string}</h1>
      </SessionGuard>
      <i>{useSession((snapshot) => ({ of: snapshot.status })).of}</i>
    </main>
  );

  it.each(["signed in", "signed out"])("hydrates without a mismatch in a page that is %s already", async (state) => {
    const stage = scene();
    const app = state === "signed in" ? await stage.signedIn() : await stage.open();
    const page = (
      <StrictMode>
        <SessionProvider session={app.bare}>
          <Page />
        </SessionProvider>
      </StrictMode>
    );
    const html = renderToString(page);
    expect(html).toBe("<main><p>one moment</p><i>restoring</i></main>");
    const container = document.body.appendChild(document.createElement("div"));
    container.innerHTML = html;
    const main = container.firstChild;
    const recovered: unknown[] = [];
    let root: Root | undefined;
    await act(async () => {
      root = hydrateRoot(container, page, { onRecoverableError: (error) => recovered.push(error) });
    });
    onTestFinished(() => act(async () => root?.unmount()));
    expect(container.firstChild).toBe(main);
    expect(recovered).toEqual([]);
    expect(container.textContent).toBe(state === "signed in" ? "hello, adasigned-in" : "sign insigned-out");
  });
});

describe("concurrent rendering", () => {
  it("shows one state in all components, though it changes while they are rendered", async () => {
    globalThis.IS_REACT_ACT_ENVIRONMENT = false;
    const stage = scene();
    const app = await stage.signedIn();
    const committed: string[][] = [];
    let grow: ((count: number) => void) | undefined;
    let rendered = 0;
    const Slow = () => {
      const { status }: Snapshot = useSession();
      const until = performance.now() + 8;
      while (performance.now() < until);
      rendered += 1;
      return <b>{status}</b>;
    };
    const Page = () => {
      const [count, setCount] = useState(0);
      grow = setCount;
      return Array.from({ length: count }, (_, index) => <Slow key={index as number} />);
    };
    const container = document.body.appendChild(document.createElement("div"));
    const look = () => committed.push([...container.querySelectorAll("b")].map((element) => element.textContent ?? ""));
    new MutationObserver(look).observe(container, { childList: true, characterData: true, subtree: true });
    const root = createRoot(container);
    onTestFinished(() => root.unmount());
    root.render(
      <SessionProvider session={app.bare}>
        <Page />
      </SessionProvider>,
    );
    await vi.waitFor(() => expect(grow).toBeDefined(), patiently);
    startTransition(() => grow?.(12));
    await vi.waitFor(() => expect(rendered).toBeGreaterThan(2), { ...patiently, interval: 1 });
    expect(rendered, "components that were rendered before the change").toBeLessThan(12);
    await stage.clock.until(app.bare.signOut());
    await vi.waitFor(() => expect(container.querySelectorAll("b")).toHaveLength(12), { timeout: 5000 });
    await vi.waitFor(() => expect(committed.at(-1)).toEqual(Array(12).fill("signed-out")), patiently);
    expect(committed.filter((states) => new Set(states).size > 1)).toEqual([]);
  });
});
