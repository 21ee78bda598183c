import { createEffect, createRoot } from "solid-js";
import { describe, expect, it, onTestFinished } from "vitest";
import { fromSession } from "../../src/solid.js";
import { scene } from "../support/scene.js";

describe("tokentide/solid", () => {
  it("is a signal that follows the session until its root is disposed of", async () => {
    const stage = scene();
    const app = await stage.open();
    const seen: string[] = [];
    const dispose = createRoot((end) => {
      const snapshot = fromSession(app.bare);
      createEffect(() => seen.push(snapshot().status));
      return end;
    });
    onTestFinished(dispose);
    expect(seen).toEqual(["signed-out"]);
    await stage.clock.until(app.bare.signIn(stage.server.signIn()));
    expect(seen.at(-1)).toBe("signed-in");
    dispose();
    await stage.clock.until(app.bare.signOut());
    expect(seen.at(-1)).toBe("signed-in");
  });
});
