import { flushSync } from "svelte";
import { get } from "svelte/store";
import { describe, expect, it } from "vitest";
import { fromSession } from "../../src/svelte.js";
import { scene } from "../support/scene.js";
import { follow } from "./follow.svelte.js";

describe("tokentide/svelte", () => {
  it("is a store: tells at once, at each change, and no more after its undo", async () => {
    const stage = scene();
    const app = await stage.open();
    const state = fromSession(app.bare);
    const seen: string[] = [];
    const undo = state.subscribe(({ status }) => seen.push(status));
    await stage.clock.until(app.bare.signIn(stage.server.signIn()));
    expect([...new Set(seen)]).toEqual(["signed-out", "signed-in"]);
    expect(get(state).status).toBe("signed-in");
    undo();
    await stage.clock.until(app.bare.signOut());
    expect(seen.at(-1)).toBe("signed-in");
  });

  it("runs again what read it through runes, until that is destroyed", async () => {
    const stage = scene();
    const app = await stage.open();
    const seen: string[] = [];
    const destroy = follow(fromSession(app.bare), ({ status }) => seen.push(status));
    expect(seen).toEqual(["signed-out"]);
    await stage.clock.until(app.bare.signIn(stage.server.signIn()));
    flushSync();
    expect(seen.at(-1)).toBe("signed-in");
    destroy();
    await stage.clock.until(app.bare.signOut());
    flushSync();
    expect(seen.at(-1)).toBe("signed-in");
  });
});
