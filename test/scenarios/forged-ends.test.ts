import { expect, it } from "vitest";
import type { LedgerRecord } from "../../src/ledger/record.js";
import { MINUTE, SECOND, scene } from "../support/scene.js";

const post = (stage: ReturnType<typeof scene>, lie: object) => {
  const { tokens: _, ...record } = stage.world.stores.read(stage.world.stores.names()[0]!) as LedgerRecord;
  const stranger = stage.world.channels.open(stage.world.tab("stranger"), stage.world.channels.posted[0]!.name);
  stranger.postMessage({ type: "changed", shared: true, record: { ...record, ...lie } });
  stranger.close();
};

it.each([
  ["an epoch at the end of its range", { epoch: 8.64e15 }],
  ["a newer format", { format: 99, servedFrom: 99 }],
])(
  "R93 of a forged end with %s nothing but the end counts while storage hangs: the user can sign in again, and stays so",
  async (_, lie) => {
    const stage = scene({ shares: true });
    const app = await stage.signedIn();
    stage.world.stores.trouble = () => "hanging";
    post(stage, { signedIn: false, by: "stranger", version: 1e9, ...lie });
    await stage.clock.advance(SECOND);
    expect(app.status()).toMatch("signed-out");
    const again = await stage.outcome(app.session.signIn(stage.server.signIn()));
    expect([again, app.status()]).toEqual([undefined, "signed-in"]);
    stage.world.stores.trouble = () => "none";
    app.tab.show();
    await stage.clock.advance(2 * MINUTE);
    const next = await stage.open();
    expect([app.status(), next.status(), app.tab.reports.map(({ message }) => message)]).toEqual([
      "signed-in",
      "signed-in",
      [expect.anything()],
    ]);
  },
);

it("R93 a sign-out in the moment after a forged end writes no number of the forger", async () => {
  const stage = scene({ world: { delays: { store: () => 50 } } });
  const app = await stage.signedIn();
  post(stage, { signedIn: false, by: "stranger", version: 1e9, epoch: 8.64e15 - 2 });
  await stage.clock.advance(20);
  await stage.clock.until(app.session.signOut());
  await stage.clock.advance(SECOND);
  await stage.clock.until(app.session.signIn(stage.server.signIn()));
  await stage.clock.advance(SECOND);
  await stage.clock.until(app.session.signOut());
  await stage.clock.advance(SECOND);
  await stage.clock.until(app.session.signIn(stage.server.signIn()));
  await stage.clock.advance(SECOND);
  expect([app.status(), (await stage.open()).status()]).toEqual(["signed-in", "signed-in"]);
});
