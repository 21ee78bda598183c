import { expect, it } from "vitest";
import { createState } from "../../src/session/state.js";
import { record } from "../ledger/records.js";

it("R3 hears of no refresh when the commit that it shows only comes to count higher, as it may where storage fails", () => {
  const heard: string[] = [];
  const events = { on: () => () => {}, emit: (type: string) => void (type !== "change" && heard.push(type)) } as unknown as Parameters<
    typeof createState
  >[0];
  const state = createState(events, { readClaims: false, expiryClaim: "exp", maxAge: Infinity }, (instant) => instant);
  state.apply(record(), false);
  state.apply(record({ version: 9 }), true);
  expect(heard).toEqual(["signed-in"]);
  state.apply(record({ version: 10, committedAt: 3_000, tokens: { accessToken: "next" } }), true);
  expect(heard).toEqual(["signed-in", "refreshed"]);
});
