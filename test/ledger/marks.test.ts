import { expect, it } from "vitest";
import { noChange } from "../../src/ledger/transitions/index.js";
import { setUpStore } from "./ledger-scene.js";
import { record } from "./records.js";

/** The record that a ledger finds beside a mark. */
async function beside(mark: number, epoch: number) {
  const { ledger, store } = setUpStore();
  store.value = record({ epoch });
  store.marked = mark;
  const read = ledger.apply(noChange);
  store.answers();
  return (await read).record;
}

it("R85 a mark that a transaction has written ends the session beside it, whatever the clocks said", async () => {
  for (const [mark, epoch, end] of [
    [50, 7, 50],
    [50, 100, 101],
  ] as const)
    expect(await beside(mark, epoch)).toMatchObject({ signedIn: false, reason: "user", epoch: end });
});

it("R85 a mark in localStorage alone ends no later session: a worker that has no localStorage may have begun it", async () => {
  expect(await beside(-50, 7)).toMatchObject({ signedIn: false, epoch: 50 });
  expect(await beside(-50, 100)).toMatchObject({ signedIn: true, epoch: 100 });
});
