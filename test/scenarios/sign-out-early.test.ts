import { expect, it } from "vitest";
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
