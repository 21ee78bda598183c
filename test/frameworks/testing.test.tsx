import { act, useState } from "react";
import { createRoot } from "react-dom/client";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { SessionGuard, SessionProvider, useClaims, useSessionInstance } from "../../src/react.js";
import { createTestSession, type TestSession } from "../../src/testing.js";

declare global {
  var IS_REACT_ACT_ENVIRONMENT: boolean;
}

beforeEach(() => {
  globalThis.IS_REACT_ACT_ENVIRONMENT = true;
});

/** An app as users write it: a guard, a name, a note that is sent, a button to leave. */
function Account() {
  const session = useSessionInstance();
  const [sent, setSent] = useState("");
  const send = async () => setSent(await (await session.fetch("/notes", { method: "POST", body: "hello" })).text());
  return (
    <>
      <h1>{useClaims<{ name: string }>()?.name}</h1>
      <button type="button" id="send" onClick={send}>
        {sent || "Send"}
      </button>
      <button type="button" id="leave" onClick={() => session.signOut()}>
        Leave
      </button>
    </>
  );
}

async function mount({ session, dispose }: TestSession) {
  const container = document.body.appendChild(document.createElement("div"));
  const root = createRoot(container);
  await act(async () => {
    root.render(
      <SessionProvider session={session}>
        <SessionGuard restoring={<p>One moment</p>} signedOut={<p>Sign in</p>}>
          <Account />
        </SessionGuard>
      </SessionProvider>,
    );
  });
  onTestFinished(async () => {
    globalThis.IS_REACT_ACT_ENVIRONMENT = true;
    await act(async () => root.unmount());
    container.remove();
    dispose();
  });
  return {
    text: (selector = "*") => container.querySelector(selector)?.textContent,
    click: (id: string) => container.querySelector<HTMLButtonElement>(`#${id}`)!.click(),
  };
}

describe("tokentide/testing with components, in a simulated page", () => {
  it("a guard waits for the restore, and shows the login page when the session is rejected", async () => {
    const test = await createTestSession({ state: "restoring", claims: { name: "Ada" } });
    const page = await mount(test);
    expect(page.text("p")).toBe("One moment");
    await act(() => test.restore());
    expect(page.text("h1")).toBe("Ada");
    await act(() => test.reject());
    expect(page.text("p")).toBe("Sign in");
  });

  it("a click sends with a token that had expired, and another one signs out; nobody moves the clock", async () => {
    const api = async (request: Request) => new Response(`sent ${await request.text()}`);
    const test = await createTestSession({ api });
    const page = await mount(test);
    await test.expire();
    // As testing libraries have it while they wait for something to appear.
    globalThis.IS_REACT_ACT_ENVIRONMENT = false;
    page.click("send");
    await expect.poll(() => page.text("#send")).toBe("sent hello");
    expect(test.server.stats.refreshes).toBe(1);
    page.click("leave");
    await expect.poll(() => page.text("p")).toBe("Sign in");
  });
});
