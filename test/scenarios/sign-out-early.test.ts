import { expect, it } from "vitest";
import type { StoreTrouble } from "../../src/testing/store.js";
import { SECOND, scene } from "../support/scene.js";

it("R25 R85 a sign-out that follows the first sign-in of a browser while storage is slow is the last word", async () => {
  const stage = scene({ shares: true, world: { delays: { store: () => 50 } } });
  const app = await stage.open();
  const began = app.session.signIn(stage.server.signIn());
  await stage.clock.advance(20);
  const ended = app.session.signOut();
  await stage.clock.until(Promise.all([began, ended]));
  await stage.clock.advance(5 * SECOND);
  expect([app.status(), app.bare.peekToken() === null, (await stage.open()).status()]).toEqual([
    "signed-out: user",
    true,
    "signed-out: user",
  ]);
});

it("R25 R85 a sign-out that follows a sign-in while storage hangs is the last word", async () => {
  const stage = scene({ shares: true });
  const app = await stage.signedIn();
  await stage.clock.until(app.session.signOut());
  await stage.clock.advance(SECOND);
  stage.world.stores.trouble = () => "hanging";
  const began = app.session.signIn(stage.server.signIn("grace")).catch(() => {});
  await stage.clock.advance(SECOND);
  await stage.clock.until(app.session.signOut());
  await stage.clock.until(began);
  await stage.clock.advance(SECOND);
  const during = app.status();
  stage.world.stores.trouble = () => "none";
  app.tab.show();
  await stage.clock.advance(20 * SECOND);
  expect([during, app.status(), (await stage.open()).status()]).toEqual(Array(3).fill("signed-out: user"));
});

it("R25 R85 a sign-out that follows a sign-in whose first write fails is the last word", async () => {
  const stage = scene({ shares: true, world: { delays: { store: () => 50 } } });
  const app = await stage.signedIn();
  await stage.clock.until(app.session.signOut());
  await stage.clock.advance(SECOND);
  let full = true;
  stage.world.stores.trouble = () => (full ? "full" : "none");
  const reports = app.tab.reports.length;
  const began = app.session.signIn(stage.server.signIn());
  await stage.clock.advance(20);
  const ended = app.session.signOut();
  for (let i = 0; i < 400 && app.tab.reports.length === reports; i++) await stage.clock.advance(1);
  full = false;
  await stage.clock.until(Promise.all([began, ended]));
  await stage.clock.advance(5 * SECOND);
  expect([app.status(), (await stage.open()).status()]).toEqual(["signed-out: user", "signed-out: user"]);
});

it("R25 a sign-out in a tab without storage, which knows no session, is the last word of a sign-in that storage takes later", async () => {
  const stage = scene({ shares: true, world: { delays: { store: () => 300 } } });
  const other = await stage.open({}, { lacks: { store: true } });
  const app = await stage.open();
  const began = app.session.signIn(stage.server.signIn());
  await stage.clock.advance(50);
  void other.session.signOut();
  await stage.clock.until(began);
  await stage.clock.advance(5 * SECOND);
  expect([app, other].map(({ bare }) => bare.getSnapshot().status)).toEqual(["signed-out", "signed-out"]);
});

it.each([0, 100, 250])("R25 R88 a sign-in %i ms after a sign-out, while storage hangs in that tab alone, stays", async (gap) => {
  const stage = scene({ shares: true, world: { delays: { store: () => 200 } } });
  const app = await stage.signedIn();
  const other = await stage.open();
  let trouble: StoreTrouble = "hanging";
  stage.world.stores.trouble = (tab) => (tab === app.tab ? trouble : "none");
  void app.session.signOut();
  await stage.clock.advance(gap);
  const again = app.session.signIn(stage.server.signIn("grace"));
  await stage.clock.advance(10 * SECOND);
  trouble = "none";
  await stage.clock.advance(100 * SECOND);
  await stage.clock.until(again);
  expect([app.status(), other.status(), (await stage.open()).status()]).toEqual(Array(3).fill("signed-in"));
});
